"""Which facts count, decided as every reader decides it: by the fold that all share."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from sagalog.engine.evolve import Here, evolve, forgettable
from sagalog.engine.instance import NOTHING, Instance
from sagalog.engine.rows import Definitions, pack, summary, unpack
from sagalog.schemas import facts as f
from sagalog.schemas.definition import Definition
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.record import Record

State = Instance | bytes
"""A folded state; as its row, where nothing but its retention keeps it."""


class Step(NamedTuple):
    """What one record changed in the fold: kept as long as a checkpoint may be older."""

    offset: int
    instance: str
    state: State | None
    taken: int
    low: Mapping[str, int]


Change = Literal["born", "counted", "ignored", "left"]


class Fold:
    """One partition of `events`, folded. `low` is the low water of each lane (rule 5).

    With `trail` the steps are kept until `passed` says that no checkpoint needs them.
    """

    def __init__(self, *, trail: bool = False) -> None:
        self.states: dict[str, State] = {}
        self.definitions = Definitions()
        self.next = 0
        self.taken, self.owner = -1, ""
        self.low: dict[str, int] = {}
        self.trail: list[Step] | None = [] if trail else None

    def get(self, instance: str) -> Instance | None:
        """The state of an instance."""
        state = self.states.get(instance)
        return unpack(state, self.definitions) if isinstance(state, bytes) else state

    def take(self, record: Record, owner: str) -> None:
        """A new owner has taken the partition."""
        self.taken, self.owner = record.offset, owner
        self._leave_trail(record.offset, "", None)

    def fold(self, record: Record, message: Envelope) -> Change:
        """Fold a fact; what became of it."""
        instance, fact = message.subject, message.data
        before = self.get(instance)
        here = Here(record.offset, record.timestamp, self.taken, self.low)
        after = evolve(before, fact, here)
        if isinstance(fact, f.Forgotten):
            self._lower(fact)
            self._leave_trail(record.offset, "", None)
        if after is before:
            return "ignored"
        self._put(record.offset, instance, before, after)
        if after is None:
            return "left"
        return "born" if before is None else "counted"

    def park(self, record: Record, instance: str) -> bool:
        """What this code cannot read parks the instance there (rule 14); whether it does."""
        before = self.get(instance)
        if before is None:
            blank = Definition("saga", "unreadable", ())
            after = Instance("", "running", blank, NOTHING, "", 0, record.timestamp)
        elif before.unreadable >= 0 or record.offset <= before.offset:
            return False
        else:
            after = before
        after = after._replace(unreadable=record.offset)
        self._put(record.offset, instance, before, after)
        return True

    def passed(self, offset: int) -> list[Step]:
        """Take the steps below `offset` from the trail: a checkpoint has got so far."""
        trail = self.trail or []
        count = next((n for n, step in enumerate(trail) if step.offset >= offset), len(trail))
        self.trail, gone = trail[count:], trail[:count]
        return gone

    def _put(
        self, offset: int, instance: str, before: Instance | None, after: Instance | None
    ) -> None:
        if after is None:
            del self.states[instance]
        else:
            if before is None:
                after = after._replace(definition=self.definitions.intern(after.definition))
            packed = pack(after, self.definitions) if forgettable(after) else after
            self.states[instance] = packed
        self._leave_trail(offset, instance, self.states.get(instance))
        self._count(before, after)

    def _count(self, before: Instance | None, after: Instance | None) -> None:
        """Hold a definition for as long as an instance, or the trail, has it."""
        if before is None and after is not None:
            self.definitions.use(self.digest(after), 1)
        elif after is None and before is not None and self.trail is None:
            self.definitions.use(self.digest(before), -1)

    def digest(self, state: State) -> str:
        """The digest of a state's definition."""
        if isinstance(state, bytes):
            return summary(state).digest
        return self.definitions.digest(self.definitions.intern(state.definition))

    def _leave_trail(self, offset: int, instance: str, state: State | None) -> None:
        if self.trail is not None:
            self.trail.append(Step(offset, instance, state, self.taken, self.low))

    def _lower(self, fact: f.Forgotten) -> None:
        low = dict(self.low)
        for lane, offset in fact.low.items():
            low[lane] = max(offset, low.get(lane, 0))
        self.low = low
