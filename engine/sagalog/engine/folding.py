"""Reading the facts of one partition into its table, and who hears of what changed."""

from typing import Any

from sagalog.engine.desk import Desk
from sagalog.engine.evolve import Here, evolve
from sagalog.engine.instance import NOTHING, SETTLED, UNREADABLE, Instance
from sagalog.engine.intake import Intake
from sagalog.engine.lending import Lending
from sagalog.engine.pauses import PAUSES_KEY
from sagalog.engine.permits import Permits
from sagalog.engine.position import BEGINNING, Mark, Position
from sagalog.engine.replying import granted, word
from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.envelope import Decoded, Envelope, Poison, Unknown
from sagalog.schemas.limits import LimiterFact, LimitSet, PermitsGranted
from sagalog.schemas.pauses import PauseFact
from sagalog.schemas.record import Record
from sagalog.schemas.requests import ReplyTo

_FACTS = frozenset(f.Fact.__args__)
_OF_LIMITS = frozenset((PermitsGranted, *LimiterFact.__args__))


class Folding:
    """Folds; what is to be said to the world waits until `acting`.

    `touched` are the instances that facts were read of since it was emptied, as they stand.
    """

    def __init__(self, desk: Desk, intake: Intake, lending: Lending, permits: Permits) -> None:
        self.mark = BEGINNING
        self.parked: Mark | None = None
        self.time = 0
        self.owner = ""
        self.touched: dict[str, Instance | None] = {}
        self._desk, self._intake = desk, intake
        self._lending, self._permits = lending, permits
        self._acting = False
        self._folded = 0
        self._again: frozenset[str] = frozenset()
        self._settled_unheard: list[tuple[str, ReplyTo | None]] = []
        self._poison_unheard: list[tuple[Record, str]] = []

    def restore(self, position: Position, start: int) -> int:
        """Begin where a checkpoint ended, or at what older code could not read; that offset."""
        table, parked = self._desk.table, position.parked
        self.mark, self._folded = position.mark, position.mark.offset
        if parked is not None and parked.offset >= start:
            self.mark = parked
            again = [(name, s) for name, s in table.live() if name not in table.later]
            self._again = frozenset(name for name, _ in again)
            for instance, state in again:
                if state.unreadable >= start:
                    self._read_again(instance, state)
        if table.later:
            self._desk.counters["parked"] += len(table.later)
            self.parked = parked or position.mark
        return self.mark.offset

    def _read_again(self, instance: str, state: Instance) -> None:
        if state.run:
            again = state._replace(unreadable=-1)
            self._desk.table.put(instance, again, new=False)
        else:
            self._desk.table.remove(instance)

    def act(self) -> None:
        """This owner acts from now on: say what could not be said while folding."""
        self._acting = True
        self._lending.act()
        self.touched.update(self._desk.table.live())
        for instance, first in self._settled_unheard:
            state = self._desk.table.get(instance)
            if state is not None and state.status in SETTLED:
                self._intake.waiting.tell(instance, state, first)
        for record, reason in self._poison_unheard:
            self._desk.poison(record, reason, None)
        self._settled_unheard, self._poison_unheard = [], []

    def fold(self, record: Record) -> None:
        """Fold one record. Offsets may have gaps: others' transactions leave marks there."""
        self.time = record.timestamp
        value = record.value
        written = self._desk.writer.written
        message = (written.pop(value, None) if value else None) or codec.decode(value)
        if record.offset >= self._folded or self._wanted_again(message):
            self._fold(record, message)
        self.mark = Mark(record.offset + 1, self.mark.taken, self.mark.low)

    def _wanted_again(self, message: Decoded) -> bool:
        """Whether to fold what a checkpoint has folded: for those that were parked then.

        Who is not here was forgotten since, and a first fact would bring it back.
        """
        if isinstance(message, Poison):
            return False
        if isinstance(message, Envelope):
            if isinstance(message.data, f.Forgotten):
                self._lower(message.data)
            if isinstance(message.data, f.Taken):
                return True
        return message.subject in self._again

    def _fold(self, record: Record, message: Decoded) -> None:
        if isinstance(message, Poison):
            self._poison(record, message.reason)
        elif isinstance(message, Unknown):
            self._unreadable(record, message)
        elif type(message.data) not in _FACTS:
            self._poison(record, f"{message.type} is a request, not a fact")
        elif type(message.data) is f.Taken:
            self.owner = message.data.owner
            self.mark = self.mark._replace(taken=record.offset)
        elif isinstance(message.data, PauseFact) and record.key == PAUSES_KEY:
            self._desk.holding.fold(message.data, record.timestamp)
        elif record.key != message.subject.encode() or message.subject.startswith("~"):
            self._misplaced(record, message.subject)
        elif type(message.data) in _OF_LIMITS:
            self._fold_limit(message, record)
        else:
            self._fold_fact(message, record)

    def _fold_limit(self, message: Envelope, record: Record) -> None:
        """A fact of a limiter, or what one says to whoever owns this partition."""
        name, fact = message.subject, message.data
        if isinstance(fact, PermitsGranted):
            if self._acting:
                self._permits.granted(name, fact)
            return
        self._lending.fold(name, fact, record.offset, record.timestamp)
        if isinstance(fact, LimitSet) and self._acting:
            self._permits.changed(fact.operation)

    def _fold_fact(self, message: Envelope, record: Record) -> None:
        instance, fact = message.subject, message.data
        before = self._desk.table.get(instance)
        here = Here(record.offset, record.timestamp, self.mark.taken, self.mark.low)
        after = evolve(before, fact, here)
        if type(fact) is f.Forgotten:
            self._lower(fact)
        if after is not before:
            after = self._change(instance, before, after)
            if type(fact) is f.StepProgressed and after is not None and self._acting:
                self._intake.waiting.progressed(instance, after, fact.step)
        self.touched[instance] = after
        if message.source == self._desk.writer.source:
            self._read_back(message, before, after)

    def _change(
        self, instance: str, before: Instance | None, after: Instance | None
    ) -> Instance | None:
        table = self._desk.table
        if after is None:
            table.remove(instance)
            self._desk.agenda.forget(instance)
            return None
        after = table.put(instance, after, new=before is None)
        if after.status in SETTLED and (before is None or before.status != after.status):
            self._settled(instance, after, (before or after).reply_to)
        elif before is None and after.confirm and after.reply_to and self._acting:
            say = word(after.reply_to, instance, "started")
            if after.claim is not None:
                say = granted(after.reply_to, instance, after)
            self._desk.writer.reply(after.reply_to, say)
        elif before is not None and before.claim is not None and after.claim is None:
            self._intake.waiting.tell_callers(instance, after)
        return after

    def _settled(self, instance: str, state: Instance, first: ReplyTo | None) -> None:
        if self._acting:
            self._desk.counters[state.status] += 1
            self._intake.waiting.tell(instance, state, first)
        else:
            self._settled_unheard.append((instance, first))

    def _read_back(self, message: Envelope, before: Any, after: Instance | None) -> None:
        self._desk.agenda.read_back(message.id)
        if isinstance(message.data, _LANDING):
            accepted = after is not before
            self._intake.read_back(message.id, message.subject, self.mark.low, accepted=accepted)
        elif isinstance(message.data, _WISHES):
            self._intake.asking.read_back(
                message.id, message.subject, after, accepted=after is not before
            )

    def _lower(self, fact: f.Forgotten) -> None:
        """Every owner's low water was true when it was written, whatever became of the fact."""
        low = dict(self.mark.low)
        for lane, offset in fact.low.items():
            low[lane] = max(offset, low.get(lane, 0))
        self.mark = self.mark._replace(low=low)

    def _misplaced(self, record: Record, subject: str) -> None:
        self._poison(record, f"its key is not its subject {subject!r}")

    def _unreadable(self, record: Record, message: Unknown) -> None:
        instance, table = message.subject, self._desk.table
        if record.key != instance.encode():
            self._misplaced(record, instance)
            return
        state = table.get(instance)
        if instance.startswith("~") or (state is not None and state.unreadable >= 0):
            return
        self._desk.counters["parked"] += 1
        if self.parked is None:
            self.parked = self.mark
        if state is None:
            new = Instance("", "running", UNREADABLE, NOTHING, "", 0, record.timestamp)
            parked = table.put(instance, new._replace(unreadable=record.offset), new=True)
            self.touched[instance] = parked  # what was due for it is not wanted any more
        elif record.offset > state.offset:
            parked = table.put(instance, state._replace(unreadable=record.offset), new=False)
            self.touched[instance] = parked

    def _poison(self, record: Record, reason: str) -> None:
        if self._acting:
            self._desk.poison(record, reason, None)
        else:
            self._poison_unheard.append((record, reason))


_LANDING = (f.Started, f.Refused, f.ScheduleStarted, f.CompensationRequested, f.Forgotten)
_WISHES = (f.CancelRequested, f.StepReleased, f.ScheduleReplaced)
