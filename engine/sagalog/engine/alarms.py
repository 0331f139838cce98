"""When what is to be looked at again: a heap of names, each with one time at most."""

from heapq import heapify, heappop, heappush


class Alarms:
    """Names in the order of their times (ms). Setting one anew moves it."""

    __slots__ = ("_due", "_heap")

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._due: dict[str, int] = {}

    def set(self, name: str, due: int | None) -> None:
        """Look at `name` again at `due`; None for never."""
        if due is None:
            self._due.pop(name, None)
        elif self._due.get(name) != due:
            self._due[name] = due
            heappush(self._heap, (due, name))
        if len(self._heap) > 64 + 2 * len(self._due):
            self._heap = [(at, name) for name, at in self._due.items()]
            heapify(self._heap)

    def next_due(self) -> int | None:
        """The earliest time, or None."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now: int) -> list[str]:
        """Remove and return what is due, the earliest first."""
        names: list[str] = []
        while (due := self.next_due()) is not None and due <= now:
            name = heappop(self._heap)[1]
            del self._due[name]
            names.append(name)
        return names
