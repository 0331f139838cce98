"""The processor of one partition, sans-IO: records, results and ticks go in, effects come out.

    restore -> fold ... -> its own Taken is read back -> acting -> another's Taken -> lost

It never applies what it wrote; it applies what it reads. While it is not acting it folds
and starts nothing (rule 1).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from sagalog.engine.acting import Acting, invocation
from sagalog.engine.agenda import Agenda
from sagalog.engine.app import App
from sagalog.engine.breaker import Breakers
from sagalog.engine.desk import Desk
from sagalog.engine.effects import Call, Effects, Invocation, LaneDone, Lettered, Refusal, Then
from sagalog.engine.errors import Impossible
from sagalog.engine.evolve import Here, evolve
from sagalog.engine.folding import Folding
from sagalog.engine.forgetting import Horizon, Trimming
from sagalog.engine.instance import Instance
from sagalog.engine.intake import Intake
from sagalog.engine.lending import Lending
from sagalog.engine.offsets import OffsetMap
from sagalog.engine.pauses import Pauses
from sagalog.engine.pending import End, Run, Undo, pending
from sagalog.engine.permits import Permits
from sagalog.engine.position import Position, check
from sagalog.engine.results import Result, Returned, fact_of
from sagalog.engine.table import Table
from sagalog.engine.writer import LARGEST, Writer
from sagalog.schemas import facts as f
from sagalog.schemas.pauses import PAUSES
from sagalog.schemas.record import Entry, Record
from sagalog.schemas.topics import LANES


class Partition:
    """One owner's view of one partition, from its take to its loss.

    `nonce` is random and names this owner; `largest` is the most bytes of a fact. Every
    method that takes `now` takes the clock's reading in ms.
    """

    def __init__(
        self, app: App, number: int, partitions: int, nonce: str, *, largest: int = LARGEST
    ) -> None:
        self.number = number
        self.phase: Literal["folding", "acting", "lost"] = "folding"
        self.closing = False
        self.horizon = Horizon()
        self.trimming = Trimming()
        self._writer = Writer(app.name, number, nonce, largest)
        self._desk = Desk(partitions, self._writer, Breakers(app.breaker_of))
        self._lending = Lending(self._writer)
        self._permits = Permits(app, self._desk, self._lending)
        self._intake = Intake(app, self._desk, self._permits)
        self._progress: dict[Call, int] = {}
        self._folding = Folding(self._desk, self._intake, self._lending, self._permits)
        ready, desk = self._permits.ready, self._desk
        self._acting = Acting(app.name, self._writer, desk.agenda, ready, desk.holding)

    @property
    def source(self) -> str:
        """The name of this owner, and of no other ever."""
        return self._writer.source

    @property
    def table(self) -> Table:
        """The folded states."""
        return self._desk.table

    @property
    def agenda(self) -> Agenda:
        """What is under way."""
        return self._desk.agenda

    @property
    def counters(self) -> Counter[str]:
        """How often what has happened, for those who watch."""
        return self._desk.counters

    @property
    def position(self) -> int:
        """The offset of the next fact to fold."""
        return self._folding.mark.offset

    @property
    def low(self) -> Mapping[str, int]:
        """The low water of each lane (rule 5)."""
        return self._folding.mark.low

    @property
    def time(self) -> int:
        """The stamp of the last fact folded (ms)."""
        return self._folding.time

    # -- taking the partition

    def restore(self, rows: Mapping[bytes, bytes], start: int, end: int) -> int:
        """Fill the table from a checkpoint; the offset of `events` to fold from.

        `start` and `end` are the log's own. Raises Impossible where they do not fit.
        """
        position = Position.of(rows)
        check(self.number, position.mark.offset, start, end)
        self._desk.table.restore(rows)
        self._lending.restore(rows)
        for instance, state in self._desk.table.live():
            if state.offset >= position.mark.offset:
                raise Impossible(f"{instance} is folded to {state.offset}, beyond the checkpoint")
        self.trimming.days = list(position.days)
        self._desk.holding.restore(Pauses.read(rows))
        return self._folding.restore(position, start)

    def take(self, now: int) -> None:
        """Announce this owner: it acts once it reads this fact back."""
        self._writer.now = now
        self._writer.fact(self.source, f.Taken(self.source), None)

    def lanes(self, committed: Mapping[str, int]) -> dict[str, int]:
        """Where to read each lane from: the higher of committed offset and low water (rule 5)."""
        low = self._folding.mark.low
        for lane in LANES:
            start = max(committed.get(lane, 0), low.get(lane, 0))
            self._desk.offsets[lane] = OffsetMap(start)
        return self.commits()

    # -- reading

    def fold(self, records: Sequence[Record], now: int) -> None:
        """Fold all the facts at hand, then act on what they changed."""
        self._writer.now = now
        folding = self._folding
        for record in records:
            if record.offset >= folding.mark.offset and self.phase != "lost":
                folding.fold(record)
                if folding.owner:
                    self._taken(folding.owner)
        touched, folding.touched = folding.touched, {}
        if self.phase == "acting" and not self.closing:
            for instance, state in touched.items():
                self._act(instance, state)
                self._intake.aside.seen(instance, state, now)
            self._start_all(self._desk.holding.freed())

    def _taken(self, owner: str) -> None:
        self._folding.owner = ""
        if owner == self.source:
            self.phase = "acting"
            self._folding.act()
        elif self.phase == "acting":
            self.phase = "lost"
            self._writer.effects = Effects()

    def _act(self, instance: str, state: Instance | None) -> None:
        if state is not None:
            for action in self._desk.agenda.plan(instance, state, self._writer.now):
                self._acting.start(instance, state, action)

    def _start_all(self, waiting: Iterable[tuple[str, Run | Undo]]) -> None:
        """Those waited for an operation, and wait no longer."""
        for instance, action in waiting:
            state = self._desk.table.get(instance)
            if state is not None:
                self._acting.start(instance, state, action)

    # -- acting

    def intake(self, lane: str, record: Record, now: int) -> bool:
        """Take one request in; whether it started an instance, whose first step will follow."""
        if self.phase != "acting" or self.closing:
            return False
        self._writer.now = now
        return self._intake.take(lane, record)

    def start(self, call: Call, now: int) -> Invocation | None:
        """The call's handler is about to run; None where it is not wanted any more."""
        self._writer.now = now
        state = self._desk.table.get(call.instance)
        if not self._wanted(call, state):
            self._permits.ended(call)
            self._desk.done(call.request)
            return None
        if not self._permits.begins(call):
            return None
        assert state is not None, "wanted, and not there"
        if self._desk.holding.holds(call.instance, state, call.action, now):
            self._permits.ended(call)
            self._desk.done(call.request)  # an undo is asked for again when it is let go
            return None
        self._desk.agenda.mark(call.instance, call.action, "running")
        progress = state.steps[call.action.step].progress
        if progress is not None:  # a former owner's call told it
            self._progress[call] = progress.number
        return invocation(call, state)

    def _wanted(self, call: Call, state: Instance | None) -> bool:
        if self.phase != "acting" or self.closing or state is None or state.run != call.run:
            return False
        return self._desk.agenda.phase(call.instance, call.action) == "due"

    def progressed(self, call: Call, number: int, fraction: float, message: str, now: int) -> None:
        """A running handler says for the `number`th time how far it is."""
        state = self._desk.table.get(call.instance)
        wanted = self.phase == "acting" and state is not None and state.run == call.run
        running = self._desk.agenda.phase(call.instance, call.action) == "running"
        if state is None or not wanted or not running or isinstance(call.action, Undo):
            return
        self._writer.now = now
        step = state.definition.steps[call.action.step].name
        number += self._progress.get(call, 0)
        attempt = call.action.attempt
        fact = f.StepProgressed(state.run, step, attempt, number, fraction, message)
        self._writer.fact(call.instance, fact, state)

    def finished(self, call: Call, result: Result, now: int) -> None:
        """A handler has ended: append the fact, and the end if that follows from it."""
        if self.phase != "acting":
            return
        self._progress.pop(call, None)
        self._writer.now = now
        self._permits.ended(call)
        state = self._desk.table.get(call.instance)
        if state is None or state.run != call.run or not state.steps:
            self._desk.agenda.clear(call.instance, call.action)
            self._desk.done(call.request)
            return
        told = self._desk.holding.ended(call.instance, state, call.action, result, now)
        if told is not None:
            self._writer.fact(PAUSES, told, None)
        self._end(call, result, state)

    def _end(self, call: Call, result: Result, state: Instance) -> None:
        now = self._writer.now
        lifted = self._desk.holding.lifted(state, call.action, now)
        fact = fact_of(state, call.action, result, now, lifted)
        written = self._write(call, fact, state)
        if isinstance(written, str):
            self._end(call, _unwritable(result, written), state)
        elif isinstance(result, Returned):
            self._follow(call.instance, state, fact)

    def _write(self, call: Call, fact: f.Fact, state: Instance) -> str | None:
        """Append a call's fact; why it cannot be, where it cannot."""
        try:
            id_, size = self._writer.fact(call.instance, fact, state, call.request)
        except TypeError as error:
            return str(error)
        if size > self._writer.largest:
            self._writer.withdraw()
            return f"{size} bytes, over the limit of {self._writer.largest}"
        self._desk.agenda.sent(call.instance, call.action, id_)
        return None

    def _follow(self, instance: str, state: Instance, fact: Any) -> None:
        """Append the end together with what brings it, by folding one fact ahead."""
        open_steps = [step for step in state.steps if step.status != "completed"]
        if len(open_steps) > 1 and not state.cause:
            return
        ahead = evolve(state, fact, Here(state.offset + 1, 0, self._folding.mark.taken))
        if ahead is None or ahead is state:
            return
        for action in pending(ahead):
            if isinstance(action, End) and self._desk.agenda.phase(instance, action) is None:
                self._acting.start(instance, ahead, action)

    def acknowledged(self, then: Then, now: int) -> None:
        """An append is durable, and this was to follow."""
        if self.phase == "lost":
            return
        if isinstance(then, LaneDone):
            self._desk.done(then)
            return
        if isinstance(then, Lettered):
            self._desk.unlettered.discard(then.offset)
            return
        self._writer.now = now
        if isinstance(then, Refusal):
            self._desk.poison(*then)
            return
        state = self._desk.table.get(then.instance)
        if state is not None and state.run == then.run:
            self._acting.append(then.instance, state, then.action, then.fact)

    # -- time

    def tick(self, now: int) -> None:
        """Fire what is due, and let go what has been kept long enough."""
        if self.phase != "acting" or self.closing:
            return
        self._writer.now = now
        for timer in self._desk.agenda.fired(now):
            state = self._desk.table.get(timer.instance)
            if state is not None:
                self._acting.start(timer.instance, state, timer.action)
        self._permits.tick()
        self._lending.tick()
        self._start_all(self._desk.holding.probes(now))
        self._forget()

    def _forget(self) -> None:
        low = self.commits()
        for instance in self._desk.table.leaving(self.horizon.read(low)):
            state = self._desk.table.get(instance)
            if state is not None:
                self._writer.fact(instance, f.Forgotten(state.run, low), state)
                self._intake.hold(instance)

    def next_due(self) -> int | None:
        """When the next timer is due (ms), if this owner will heed it."""
        if self.phase != "acting" or self.closing:
            return None
        rooms = self._desk.agenda.timers, self._desk.holding, self._permits, self._lending
        dues = (room.next_due() for room in rooms)
        return min((due for due in dues if due is not None), default=None)

    # -- leaving

    @property
    def unlettered(self) -> bool:
        """Whether a fact's dead letter is still on its way: a checkpoint would lose it."""
        return bool(self._desk.unlettered)

    def checkpoint(self) -> list[Entry]:
        """The rows that changed, and the position up to which they are folded (rule 2)."""
        self.trimming.reached(self.time, self.commits())
        folding = self._folding
        position = Position(folding.mark, folding.parked, tuple(self.trimming.days))
        rows = [*self._desk.table.changes(), *self._lending.changes(), position.row()]
        if self._desk.holding.changed:
            self._desk.holding.changed = False
            rows.append(self._desk.holding.pauses.row())
        return rows

    def effects(self) -> Effects:
        """What this turn wants done; the next turn starts with none."""
        if self._permits.moved and self.phase == "acting" and not self.closing:
            self._intake.readmit()
            self._permits.moved.clear()
        done, self._writer.effects = self._writer.effects, Effects()
        return done

    @property
    def aside(self) -> int:
        """How many requests are read and not let in yet, since their limits are crowded."""
        return len(self._intake.aside)

    @property
    def starting(self) -> int:
        """How many instances have been let in whose first fact is not read back yet."""
        return len(self._intake.starting)

    def commits(self) -> dict[str, int]:
        """For each lane the offset below which nothing needs to be read again."""
        return self._desk.commits()

    @property
    def pauses(self) -> Pauses:
        """What is held in the partition."""
        return self._desk.holding.pauses

    def closed_lanes(self) -> frozenset[str]:
        """The lanes that are not to be read now; where to go on says `unread`."""
        return self._desk.holding.closed() | self._intake.aside.full

    def unread(self, lane: str) -> int:
        """The offset of the first request of a lane that has not been taken in."""
        return self._desk.offsets[lane].read

    def close_intake(self) -> None:
        """Start nothing more: what runs may end and be appended, then the partition goes."""
        self.closing = True
        if self.phase == "acting":
            self._permits.close()

    def lose(self) -> None:
        """This owner has no say any more."""
        self.phase = "lost"

    def settling(self) -> bool:
        """Whether a handler runs, or its result is not read back yet."""
        return self.phase == "acting" and self._desk.agenda.busy()


def _unwritable(result: Result, why: str) -> f.Failure:
    """The failure that stands for a result, or a failure, that no fact can hold."""
    if isinstance(result, Returned):
        message = f"the result cannot be a fact: {why}. Store it and return where it is."
        return f.Failure("invalid", "ResultUnwritable", message)
    return f.Failure(result.kind, "Unwritable", f"the error cannot be a fact: {why}")
