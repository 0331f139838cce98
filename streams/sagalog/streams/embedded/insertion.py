"""Writing many rows with few statements."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import orjson

from sagalog.streams.embedded.requests import Append
from sagalog.streams.embedded.tail import Tail

Headers = tuple[tuple[str, bytes], ...]


class Insertion:
    """An INSERT of any number of rows, in statements of some fixed sizes.

    A statement costs about 5 microseconds beside its rows. And it lets go of the GIL,
    which in a thread may take milliseconds to come back (see `Pace`).
    """

    def __init__(self, into: str, columns: int, sizes: Sequence[int], then: str = "") -> None:
        row = f"({','.join('?' * columns)})"
        self._columns = columns
        self._statements = {
            size: f"INSERT INTO {into} VALUES {','.join([row] * size)} {then}"  # noqa: S608 - constants
            for size in sizes
        }

    def execute(self, connection: sqlite3.Connection, cells: Sequence[object]) -> None:
        """Insert rows, given as the flat list of their cells."""
        at, end = 0, len(cells)
        for size, statement in self._statements.items():
            step = size * self._columns
            while end - at >= step:
                connection.execute(statement, cells[at : at + step])
                at += step


RECORDS: Final = Insertion("records", 7, sizes=(64, 32, 16, 8, 4, 2, 1))


def insert(connection: sqlite3.Connection, tail: Tail, appends: list[Append]) -> None:
    """Give every append its place in the log and write its rows."""
    cells: list[object] = []
    seq = tail.seq
    for append in appends:
        number = append.number
        offset, stamp = tail.take(number, len(append.entries))
        append.offset, append.timestamp = offset, stamp
        for key, value, headers in append.entries:
            packed = pack(headers) if headers else None
            cells += (seq, number, offset, stamp, key, value, packed)
            seq += 1
            offset += 1
    tail.seq = seq
    RECORDS.execute(connection, cells)


def pack(headers: Headers) -> str:
    """Headers as JSON; latin-1 carries any bytes and keeps usual ones legible."""
    return orjson.dumps([(name, value.decode("latin-1")) for name, value in headers]).decode()


def unpack(packed: str) -> Headers:
    """What `pack` packed."""
    return tuple((name, value.encode("latin-1")) for name, value in orjson.loads(packed))
