"""The calls that wait because their operation is held: without a slot, in nobody's way."""

from collections import Counter
from typing import NamedTuple

from sagalog.engine.pending import Run, Undo

Waiting = tuple[str, Run | Undo]
"""An instance, and which of its actions waits."""


class _Place(NamedTuple):
    operation: str
    lane: str


class Anteroom:
    """Who waits for which operation, in the order of coming; `lanes` counts them by lane."""

    __slots__ = ("_places", "_rooms", "lanes")

    def __init__(self) -> None:
        self.lanes: Counter[str] = Counter()
        self._rooms: dict[str, dict[Waiting, None]] = {}
        self._places: dict[Waiting, _Place] = {}

    def enter(self, waiting: Waiting, operation: str, lane: str) -> None:
        """Wait for an operation; `lane` is where the instance came from."""
        if waiting not in self._places:
            self._places[waiting] = _Place(operation, lane)
            self._rooms.setdefault(operation, {})[waiting] = None
            self.lanes[lane] += 1

    def leave(self, waiting: Waiting) -> None:
        """It waits no longer, if it did."""
        place = self._places.pop(waiting, None)
        if place is None:
            return
        self.lanes[place.lane] -= 1
        room = self._rooms[place.operation]
        del room[waiting]
        if not room:
            del self._rooms[place.operation]

    def first(self, operation: str) -> Waiting | None:
        """Who has waited longest."""
        return next(iter(self._rooms.get(operation, ())), None)

    def all(self, operation: str) -> list[Waiting]:
        """All that wait for an operation."""
        return list(self._rooms.get(operation, ()))

    @property
    def operations(self) -> list[str]:
        """The operations for which anybody waits."""
        return list(self._rooms)
