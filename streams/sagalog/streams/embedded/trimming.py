"""Moving the start of a place, and deleting what stands below it, little by little."""

import sqlite3
from collections.abc import Mapping
from typing import Final

from sagalog.streams.embedded.missing import not_reached
from sagalog.streams.embedded.schema import BOUNDS, SPAN
from sagalog.streams.log import Place

STEP: Final = 4
"""Segments from which one step deletes: a few milliseconds."""

OLDEST: Final = 100
"""Segments of a place that one look for old records covers."""

MOVE_START: Final = "UPDATE places SET start = ? WHERE place = ? AND start < ?"

OLDEST_DELETABLE: Final = """
SELECT place, start, seq FROM (
    SELECT p.place, p.start, (
        SELECT s.seq FROM spans s
        WHERE s.place = p.place AND s.first < p.start ORDER BY s.first LIMIT 1
    ) AS seq
    FROM places p WHERE p.start > 0
) WHERE seq IS NOT NULL
"""

DELETABLE: Final = """
SELECT first, seq FROM spans WHERE place = ? AND first < ? AND seq < ? ORDER BY first LIMIT ?
"""

DELETE: Final = """
DELETE FROM records WHERE seq >= ? AND seq < ? AND place = ? AND offset < ?
"""

KEEP_REST: Final = """
INSERT INTO spans (place, first, last, timestamp, seq)
SELECT place, min(offset), max(offset), max(timestamp), :since
FROM records WHERE seq >= :since AND seq < :until AND place = :place GROUP BY place
"""

OLD_SPANS: Final = """
SELECT max(last) + 1 FROM (SELECT last, timestamp FROM spans WHERE place = ? ORDER BY first LIMIT ?)
WHERE timestamp < ?
"""

NEXT_SEGMENT: Final = """
SELECT seq FROM spans WHERE place = ? AND first >= ? ORDER BY first LIMIT 1
"""

OLD_RECORDS: Final = """
SELECT max(offset) + 1 FROM records
WHERE seq >= ? AND seq < ? AND place = ? AND timestamp < ?
"""


def trim(connection: sqlite3.Connection, offsets: Mapping[int, tuple[Place, int]]) -> None:
    """Move the start of places, given by number, to offsets that they have reached."""
    ends = {number: end for number, _, end, _ in connection.execute(BOUNDS)}
    for number, (place, offset) in offsets.items():
        if offset > ends[number]:
            raise not_reached(place, offset, ends[number])
    moves = [(offset, number, offset) for number, (_, offset) in offsets.items()]
    connection.executemany(MOVE_START, moves)


def expire(connection: sqlite3.Connection, number: int, older_than: int) -> bool:
    """Move the start of a place beyond records stamped before; whether it moved."""
    oldest = connection.execute(OLD_SPANS, (number, OLDEST, older_than)).fetchone()[0] or 0
    following = connection.execute(NEXT_SEGMENT, (number, oldest)).fetchone()
    if following is None:
        following = connection.execute("SELECT full FROM segments").fetchone()
    since, until = following[0], following[0] + SPAN
    found = connection.execute(OLD_RECORDS, (since, until, number, older_than)).fetchone()[0] or 0
    start = max(oldest, found)
    return connection.execute(MOVE_START, (start, number, start)).rowcount > 0


def sweep(connection: sqlite3.Connection) -> bool:
    """Delete some of the rows below their place's start; whether there may be more.

    It goes through the oldest segments, and through each for all places at once, since the
    rows of all stand on the same pages. The open segment is left alone: its rows tell where
    the places end.
    """
    oldest = connection.execute(OLDEST_DELETABLE).fetchall()
    until = min((seq for _, _, seq in oldest), default=0) + STEP * SPAN
    for number, start, _ in oldest:
        spans = connection.execute(DELETABLE, (number, start, until, STEP)).fetchall()
        for first, since in spans:
            sweep_span(connection, number, first, since, start)
    return bool(oldest)


def sweep_span(
    connection: sqlite3.Connection, number: int, first: int, since: int, start: int
) -> None:
    """Delete the rows of a place below `start` in the segment that begins at seq `since`."""
    until = since + SPAN
    connection.execute(DELETE, (since, until, number, start))
    connection.execute("DELETE FROM spans WHERE place = ? AND first = ?", (number, first))
    connection.execute(KEEP_REST, {"since": since, "until": until, "place": number})
