"""What of a partition is held, and so waits: the folded pauses, and who comes past them."""

from collections.abc import Iterator

from sagalog.engine.agenda import Agenda
from sagalog.engine.instance import Instance
from sagalog.engine.pauses import NOTHING_HELD, Pauses, folded
from sagalog.engine.pending import Run, Undo
from sagalog.schemas.pauses import PauseFact
from sagalog.schemas.topics import COMPENSATIONS

ROOM = 10_000
"""How many held instances of a lane close it, until half of them are gone."""


class Holding:
    """The door in front of the handlers of one partition."""

    def __init__(self, agenda: Agenda, *, room: int = ROOM) -> None:
        self.pauses = NOTHING_HELD
        self.changed = False
        self._agenda, self._room = agenda, room
        self._full: set[str] = set()

    def restore(self, pauses: Pauses) -> None:
        """Begin where a checkpoint ended."""
        self.pauses = pauses

    def fold(self, fact: PauseFact, time: int) -> None:
        """A fact stamped `time` (ms) has been read; `changed` says that it counts."""
        after = folded(self.pauses, fact, time)
        self.changed = self.changed or after is not self.pauses
        self.pauses = after

    def holds(self, instance: str, state: Instance, action: Run | Undo) -> bool:
        """Whether the action has to wait; it does, then."""
        operation = operation_of(state, action)
        if not self.pauses.of(operation).holds:
            return False
        lane = COMPENSATIONS if isinstance(action, Undo) else state.priority
        self._agenda.hold(instance, action, operation, lane)
        return True

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


def operation_of(state: Instance, action: Run | Undo) -> str:
    """The operation whose handler the action calls."""
    spec = state.definition.steps[action.step]
    return (spec.undo or "") if isinstance(action, Undo) else spec.operation
