"""Where the log ends, as its writer knows it: the next seq, and the next offset of each place."""

import sqlite3
from collections.abc import Callable

from sagalog.streams.embedded.schema import BOUNDS, END, SPAN

UNKNOWN = -1

NEWS = """
SELECT place, max(offset) + 1, max(timestamp) FROM records WHERE seq >= ? GROUP BY place
"""

FILL_SPANS = """
INSERT INTO spans (place, first, last, timestamp, seq)
SELECT place, min(offset), max(offset), max(timestamp), seq / :span * :span
FROM records WHERE seq >= :since AND seq < :until GROUP BY place, seq / :span
"""

FILL_PLACES = """
INSERT INTO places (place, next, timestamp)
SELECT place, max(offset) + 1, max(timestamp)
FROM records WHERE seq >= :since AND seq < :until GROUP BY place
ON CONFLICT (place) DO UPDATE SET next = excluded.next, timestamp = excluded.timestamp
"""


class Tail:
    """Gives seqs, offsets and timestamps inside a write transaction.

    It looks into the file only when another process has appended since the last time.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self.seq: int = UNKNOWN
        self._clock = clock
        self._full: int = 0
        self._next: dict[int, int] = {}
        self._stamped: dict[int, int] = {}

    def forget(self) -> None:
        """A transaction that used this failed: nothing that it gave was taken."""
        self.seq = UNKNOWN

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Learn what others appended. First thing in a write transaction."""
        end, full = connection.execute(END).fetchone()
        seq = max(end, full)
        if seq == self.seq:
            return
        if self.seq != UNKNOWN and full == self._full:
            # What came since is in the open segment, which trimming leaves alone.
            news = connection.execute(NEWS, (self.seq,)).fetchall()
        else:
            bounds = connection.execute(BOUNDS).fetchall()
            news = [(place, end, stamp) for place, _, end, stamp in bounds]
        self._next.update({place: end for place, end, _ in news})
        self._stamped.update({place: stamp for place, _, stamp in news})
        self.seq, self._full = seq, full

    def take(self, place: int, count: int) -> tuple[int, int]:
        """Offset and timestamp of the next `count` records of a place."""
        first = self._next.get(place, 0)
        self._next[place] = first + count
        stamp = self._stamped[place] = max(self._clock(), self._stamped.get(place, 0))
        return first, stamp

    def next_offset(self, place: int) -> int:
        """The offset that the next record of a place will get."""
        return self._next.get(place, 0)

    def fill_segments(self, connection: sqlite3.Connection) -> None:
        """Index the segments that this transaction has filled. After its inserts."""
        since, until = self._full, self.seq // SPAN * SPAN
        if until <= since:
            return
        bounds = {"since": since, "until": until, "span": SPAN}
        connection.execute(FILL_SPANS, bounds)
        connection.execute(FILL_PLACES, {"since": since, "until": until})
        connection.execute("UPDATE segments SET full = ?", (until,))
        self._full = until
