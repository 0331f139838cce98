"""What was done to processes, and which calls that explains."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence

from sagalog.streams.audit.evidence import Blow, Call

UNREAD = 3000
"""Milliseconds in which an owner may not have read yet that another took its partition."""

CUTS = frozenset({"kill", "freeze", "lose"})
WAKES = frozenset({"thaw", "lose"})


class Blows:
    """The record of blows."""

    def __init__(self) -> None:
        self._by_pid: defaultdict[int, list[Blow]] = defaultdict(list)

    def add(self, blow: Blow) -> None:
        """One more."""
        self._by_pid[blow.pid].append(blow)

    def woken(self, call: Call, partition: int) -> bool:
        """Whether its process had slept, or lost the partition, when the call was made.

        It may go on for a while, since it does not know until it has read on.
        """
        return any(
            blow.what in WAKES and blow.at <= call.at and _hits(blow, partition)
            for blow in self._by_pid.get(call.pid, ())
        )

    def struck(self, call: Call, partition: int) -> bool:
        """Whether a blow explains that the call was not the last one, or left no fact."""
        return self.woken(call, partition) or any(
            blow.what in CUTS and blow.at >= call.at and _hits(blow, partition)
            for blow in self._by_pid.get(call.pid, ())
        )


def taken(takes: Sequence[int], after: int, before: int | None = None) -> bool:
    """Whether the partition was taken between two times (ms); `takes` are in order."""
    index = bisect_left(takes, after)
    return index < len(takes) and (before is None or takes[index] <= before)


def overtaken(takes: Sequence[int], call: Call, written: int) -> bool:
    """Whether a caller may have read neither that another took its partition nor what came then.

    That is what was `written` (ms) behind the take. Nobody had it before the first take.
    """
    index = max(1, bisect_left(takes, call.at - UNREAD))
    return index < len(takes) and takes[index] <= written


def _hits(blow: Blow, partition: int) -> bool:
    return blow.what != "lose" or blow.partition in (-1, partition)
