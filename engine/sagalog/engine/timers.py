"""Times at which something is due: a heap over what the states already say."""

from heapq import heapify, heappop, heappush
from typing import NamedTuple

from sagalog.engine.pending import Action


class Timer(NamedTuple):
    """An action of an instance, due at `due` (ms)."""

    due: int
    number: int
    instance: str
    action: Action


class Timers:
    """Timers in the order of their due times. Revoked ones are dropped as they come up.

    When more than half are revoked the heap is made anew, so that what has ended long
    before its deadline takes no room until then.
    """

    __slots__ = ("_heap", "_live", "_number")

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._live: set[tuple[str, Action]] = set()
        self._number = 0

    def __len__(self) -> int:
        return len(self._live)

    def set(self, instance: str, action: Action, due: int) -> None:
        """Add a timer; one that is set already stays as it is."""
        if (instance, action) in self._live:
            return
        self._live.add((instance, action))
        self._number += 1
        heappush(self._heap, Timer(due, self._number, instance, action))

    def revoke(self, instance: str, action: Action) -> None:
        """Drop a timer, if it is set."""
        self._live.discard((instance, action))
        if len(self._heap) > 64 + 2 * len(self._live):
            self._heap = [t for t in self._heap if (t.instance, t.action) in self._live]
            heapify(self._heap)

    def next_due(self) -> int | None:
        """When the earliest timer is due (ms), or None."""
        while self._heap and (self._heap[0].instance, self._heap[0].action) not in self._live:
            heappop(self._heap)
        return self._heap[0].due if self._heap else None

    def due(self, now: int) -> list[Timer]:
        """Remove and return the timers that are due at `now`, the earliest first."""
        fired: list[Timer] = []
        while (due := self.next_due()) is not None and due <= now:
            timer = heappop(self._heap)
            self._live.discard((timer.instance, timer.action))
            fired.append(timer)
        return fired
