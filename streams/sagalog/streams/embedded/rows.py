"""Reading from the file: the rows of many places at once, and the bounds of each."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from sagalog.streams.embedded.failures import explained, unavailable
from sagalog.streams.embedded.schema import BOUNDS, END, SPAN

WINDOW: Final = 16 * SPAN
"""Seqs that one scan covers: about half a millisecond when no row of them is wanted."""

MOST_ROWS: Final = 1000
MOST_BYTES: Final = 4 << 20
"""What one scan returns, so that the event loop is not held for more than some milliseconds."""

CHUNK: Final = 100

LOCATE = "SELECT seq, last FROM spans WHERE place = ? AND first <= ? ORDER BY first DESC LIMIT 1"

Row = tuple[int, int, int, int, bytes | None, bytes | None, str | None]
"""seq, place, offset, timestamp, key, value, headers."""


class Bounds(NamedTuple):
    """The first offset that a place holds, and the one that its next record will get."""

    start: int
    next: int


class Rows:
    """Queries of one connection, for the event loop's thread."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def select(self, query: str, parameters: Sequence[object] = ()) -> list[Any]:
        """All rows of a query. Raises LogUnavailable, as all methods here do."""
        try:
            return self._connection.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise unavailable(self._path, error) from error

    def end(self) -> int:
        """The seq that the next commit will start at."""
        return int(max(self.select(END)[0]))

    def bounds(self) -> dict[int, Bounds]:
        """The bounds of every place."""
        return {place: Bounds(start, end) for place, start, end, _ in self.select(BOUNDS)}

    def locate(self, place: int, offset: int) -> int:
        """A seq at or before the one of `offset`, which the place holds or will get."""
        found = self.select(LOCATE, (place, offset))
        if found and offset <= found[0][1]:
            return int(found[0][0])
        return int(self.select("SELECT full FROM segments")[0][0])

    def scan(self, since: int, until: int, places: Sequence[int]) -> tuple[list[Row], int]:
        """Rows of some places from `since` on, and the seq up to which these are all.

        That seq is `until`, unless the rows are too many or too large for one scan.
        """
        until = min(until, since + WINDOW)
        rows: list[Row] = []
        weight = 0
        with explained(self._path):
            for chunk in self._chunks(since, until, places):
                rows += chunk
                weight += sum(len(row[5] or b"") for row in chunk)
                if len(rows) >= MOST_ROWS or weight >= MOST_BYTES:
                    return rows, rows[-1][0] + 1
        return rows, until

    def _chunks(self, since: int, until: int, places: Sequence[int]) -> Iterator[list[Row]]:
        marks = ",".join("?" * len(places))
        cursor = self._connection.execute(
            f"SELECT * FROM records WHERE seq >= ? AND seq < ? AND place IN ({marks})"  # noqa: S608
            " ORDER BY seq",
            (since, until, *places),
        )
        try:
            while chunk := cursor.fetchmany(CHUNK):
                yield chunk
        finally:
            # A statement that is left half read holds its snapshot, and so the whole WAL.
            cursor.close()
