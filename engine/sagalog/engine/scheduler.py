"""Which handler is called next and which request is taken in next, within the slots of a pod."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sagalog.engine.effects import Call
from sagalog.engine.shares import Shares
from sagalog.schemas.record import Record
from sagalog.schemas.topics import LANES


class Arrival(NamedTuple):
    """A request that has been read from a lane and not yet taken in."""

    lane: str
    record: Record


_NOTHING: Mapping[str, Sequence[object]] = dict.fromkeys(LANES, ())


class Scheduler:
    """Calls and requests of all partitions of a pod, lane by lane.

    A handler that runs takes a slot, and so does an instance that has been let in and
    whose first step is not ready yet. When there is none, lanes wait: the backlog stays
    in the log. Within a lane what is under way goes before what is new.
    """

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.running = 0
        self.starting = 0
        self._shares = Shares()
        self._calls: dict[str, deque[Call]] = {lane: deque() for lane in LANES}
        self._arrivals: dict[str, deque[Arrival]] = {lane: deque() for lane in LANES}
        self._ready = 0
        self._waiting = 0

    def offer(self, call: Call) -> None:
        """A handler is ready to be called."""
        self._calls[call.lane].append(call)
        self._ready += 1

    def arrived(self, arrival: Arrival) -> None:
        """A request has been read."""
        self._arrivals[arrival.lane].append(arrival)
        self._waiting += 1

    def backlog(self, lane: str) -> int:
        """How many requests of a lane have been read and not taken in."""
        return len(self._arrivals[lane])

    def oldest(self, lane: str) -> int | None:
        """When the oldest of them was appended (ms), None where there is none."""
        return min((arrival.record.timestamp for arrival in self._arrivals[lane]), default=None)

    def next(self, now: int = 0) -> Call | Arrival | None:
        """The next thing to do at `now` (ms), or None while nothing may start.

        A lane whose requests have waited for minutes weighs more. A call counts as running
        from here on; say `freed` when it has ended.
        """
        if not self._ready and not self._waiting:
            return None
        free = self.slots - self.running
        room = free - self.starting - self._ready
        calls = self._calls if free > 0 else _NOTHING
        arrivals = self._arrivals if room > 0 else _NOTHING
        lanes = [lane for lane in LANES if calls[lane] or arrivals[lane]]
        if not lanes:
            return None
        # Who has no room for what is new waits for it: that is not being idle.
        owed = [] if room > 0 else [lane for lane in LANES if self._arrivals[lane]]
        lane = self._shares.serve(lanes, lambda name: self._wait(name, now), owed)
        if calls[lane]:
            self.running += 1
            self._ready -= 1
            return self._calls[lane].popleft()
        self._waiting -= 1
        return self._arrivals[lane].popleft()

    def _wait(self, lane: str, now: int) -> int:
        arrivals = self._arrivals[lane]
        return now - arrivals[0].record.timestamp if arrivals else 0

    def freed(self) -> None:
        """A call has ended, or was not wanted any more."""
        self.running -= 1

    def put_back(self, lane: str, partition: int) -> None:
        """The lane is not to be read there for a while: what was read and not taken in is not."""
        kept = deque(a for a in self._arrivals[lane] if a.record.partition != partition)
        self._waiting -= len(self._arrivals[lane]) - len(kept)
        self._arrivals[lane] = kept

    def drop(self, partition: int) -> None:
        """The partition has gone: nothing of it starts any more."""
        for lane in LANES:
            self._calls[lane] = deque(c for c in self._calls[lane] if c.partition != partition)
            self._arrivals[lane] = deque(
                a for a in self._arrivals[lane] if a.record.partition != partition
            )
        self._ready = sum(len(calls) for calls in self._calls.values())
        self._waiting = sum(len(arrivals) for arrivals in self._arrivals.values())
