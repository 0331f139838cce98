"""What of a partition is held, and so waits: the folded pauses, and who comes past them."""

from collections.abc import Iterator

from sagalog.engine.agenda import Agenda
from sagalog.engine.anteroom import Waiting
from sagalog.engine.breaker import BreakerFact, Breakers
from sagalog.engine.calls import operation_of
from sagalog.engine.instance import Instance
from sagalog.engine.pauses import NOTHING_HELD, Held, Pauses, folded
from sagalog.engine.pending import Run, Undo
from sagalog.engine.results import Result
from sagalog.schemas.pauses import PauseFact
from sagalog.schemas.topics import COMPENSATIONS

ROOM = 10_000
"""How many held instances of a lane close it, until half of them are gone."""


class Holding:
    """The door in front of the handlers of one partition."""

    def __init__(
        self, agenda: Agenda, breakers: Breakers | None = None, *, room: int = ROOM
    ) -> None:
        self.pauses = NOTHING_HELD
        self.changed = False
        self._agenda, self._room = agenda, room
        self._breakers = breakers or Breakers(lambda _: None)
        self._probes: dict[str, Waiting] = {}
        self._full: set[str] = set()

    def restore(self, pauses: Pauses) -> None:
        """Begin where a checkpoint ended."""
        self.pauses = pauses

    def fold(self, fact: PauseFact, time: int) -> None:
        """A fact stamped `time` (ms) has been read; `changed` says that it counts."""
        after = folded(self.pauses, fact, time)
        self.changed = self.changed or after is not self.pauses
        self.pauses = after

    def holds(self, instance: str, state: Instance, action: Run | Undo, now: int) -> bool:
        """Whether the action has to wait at `now` (ms); it does, then.

        The first one that comes when a breaker's time is over is its probe, and passes.
        """
        operation = operation_of(state, action)
        held = self.pauses.of(operation)
        if not held.holds or self._probes_now(operation, held, (instance, action), now):
            return False
        if self._probes.get(operation) == (instance, action):
            del self._probes[operation]
        lane = COMPENSATIONS if isinstance(action, Undo) else state.priority
        self._agenda.hold(instance, action, operation, lane)
        return True

    def _probes_now(self, operation: str, held: Held, waiting: Waiting, now: int) -> bool:
        if held.paused is not None or held.until > now:
            return False
        if self._probing(operation):
            return self._probes[operation] == waiting
        self._probes[operation] = waiting
        return True

    def _probing(self, operation: str) -> bool:
        """Whether a probe is under way, and wanted still: until its end is read back."""
        probe = self._probes.get(operation)
        return probe is not None and self._agenda.phase(*probe) not in (None, "held")

    def probes(self, now: int) -> Iterator[Waiting]:
        """Those held that may try at `now` (ms) whether it works again."""
        for operation, waiting, until in self._due():
            if until <= now:
                self._agenda.let_in(*waiting)
                self._probes[operation] = waiting
                yield waiting

    def next_due(self) -> int | None:
        """When the next probe is due (ms)."""
        return min((until for _, _, until in self._due()), default=None)

    def _due(self) -> Iterator[tuple[str, Waiting, int]]:
        for operation in self._agenda.anteroom.operations:
            held, waiting = self.pauses.of(operation), self._agenda.anteroom.first(operation)
            if held.until and held.paused is None and waiting and not self._probing(operation):
                yield operation, waiting, held.until

    def ended(
        self, instance: str, state: Instance, action: Run | Undo, result: Result, now: int
    ) -> BreakerFact | None:
        """A call has ended at `now` (ms): what that tells of its operation, where it does.

        That goes into the log before the call's own fact: whoever has read how a probe ended
        knows what it found, and sends no other for it.
        """
        operation = operation_of(state, action)
        held = self.pauses.of(operation)
        if self._probes.get(operation) == (instance, action):
            return self._breakers.probed(operation, held, result, now)
        return self._breakers.ended(operation, held, result, now)

    def lifted(self, state: Instance, action: Run | Undo, now: int) -> int:
        """Until when (ms) the operation was held: what is away meanwhile is given time."""
        held = self.pauses.of(operation_of(state, action))
        return now if held.holds else held.lifted

    def freed(self) -> Iterator[tuple[str, Run | Undo]]:
        """Those that waited for what is held no longer; they are due."""
        for operation in self._agenda.anteroom.operations:
            if not self.pauses.of(operation).holds:
                for instance, action in self._agenda.anteroom.all(operation):
                    self._agenda.let_in(instance, action)
                    yield instance, action

    def closed(self) -> frozenset[str]:
        """The lanes that are not to be read now: paused, or with too many held instances."""
        for lane, held in self._agenda.anteroom.lanes.items():
            if held >= self._room and lane != COMPENSATIONS:
                self._full.add(lane)
            elif held < self._room / 2:
                self._full.discard(lane)
        return frozenset(self.pauses.lanes) | self._full
