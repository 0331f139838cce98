"""How far in time the lanes have been read: what may be forgotten (rule 5), and trimmed."""

from collections.abc import Mapping
from typing import NamedTuple


class _Poll(NamedTuple):
    ends: Mapping[str, int]
    time: int


class Horizon:
    """The log's time up to which every request has been taken in.

    The driver polls the lanes' ends now and then and says at which time of the log that
    was: the stamp of a fact that it had read before it asked. A request stamped no later
    stands below those ends. So once all of them are read, that time is reached, whatever
    this machine's own clock says.
    """

    def __init__(self) -> None:
        self._time = 0
        self._poll: _Poll | None = None

    def polled(self, ends: Mapping[str, int], time: int) -> None:
        """The lanes ended at `ends`, asked after the fact stamped `time` (ms) was read."""
        if self._poll is None:
            self._poll = _Poll(ends, time)

    def read(self, low: Mapping[str, int]) -> int:
        """The time reached, where each lane is read, and its requests done, below `low`."""
        poll = self._poll
        if poll is not None and all(low.get(lane, 0) >= end for lane, end in poll.ends.items()):
            self._time, self._poll = max(self._time, poll.time), None
        return self._time


DAY = 86_400_000
KEPT = 7 * DAY


class Trimming:
    """Remembers, a day at a time, how far the lanes were done, to trim them a week later.

    Lanes are never cut by time, since waiting work must not vanish (DESIGN, section 2).
    """

    def __init__(self) -> None:
        self.days: list[tuple[int, dict[str, int]]] = []

    def reached(self, time: int, low: Mapping[str, int]) -> None:
        """At the log's `time` (ms) the lanes were done below `low`."""
        if not self.days or time - self.days[-1][0] >= DAY:
            self.days.append((time, dict(low)))

    def trimmable(self, time: int) -> dict[str, int]:
        """The offsets below which the lanes were done a week before `time`; told once."""
        offsets: dict[str, int] = {}
        while self.days and time - self.days[0][0] >= KEPT:
            offsets = self.days.pop(0)[1]
        return offsets
