"""The table of a partition: rows in the file, written under the epoch of its owner."""

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Final

from sagalog.schemas.record import Entry
from sagalog.streams.embedded.insertion import Insertion
from sagalog.streams.embedded.rows import Rows
from sagalog.streams.embedded.writer import Writer
from sagalog.streams.errors import Fenced
from sagalog.streams.log import Place

SLICE: Final = 1000
"""Rows that `restore` reads at a time; between the slices the event loop runs."""

PUT: Final = Insertion(
    "checkpoints",
    3,
    sizes=(300, 50, 10, 1),
    then="ON CONFLICT (place, key) DO UPDATE SET value = excluded.value",
)

GET_ALL: Final = "SELECT key, value FROM checkpoints WHERE place = ?"
"""One statement, so one state, whoever writes meanwhile."""

GET_SLICE: Final = """
SELECT key, value FROM checkpoints WHERE place = ? AND key >= ? ORDER BY key LIMIT ?
"""


class FileCheckpoints:
    """`Checkpoints` of one place. Whoever opens them later fences this one."""

    def __init__(self, place: Place, number: int, epoch: int, writer: Writer, rows: Rows) -> None:
        self._place = place
        self._number = number
        self._epoch = epoch
        self._writer = writer
        self._rows = rows

    async def restore(self) -> dict[bytes, bytes]:
        """The newest committed value of every key."""
        table: dict[bytes, bytes] = {}
        key = b""
        while True:
            # All slices see one state, since nobody but this owner writes here.
            found = self._rows.select(GET_SLICE, (self._number, key, SLICE))
            table.update(found)
            if len(found) < SLICE:
                return table
            key = found[-1][0]
            await asyncio.sleep(0)

    async def write(self, rows: Sequence[Entry]) -> None:
        """Write all rows or none. Raises Fenced."""
        newest = {row.key: row.value for row in rows}
        if None in newest:
            raise ValueError("A row of a checkpoint needs a key")
        weight = sum(len(value or b"") for value in newest.values())
        await self._writer.run(lambda connection: self._store(connection, newest), weight)

    async def close(self) -> None:
        """Nothing is held."""

    def _store(
        self, connection: sqlite3.Connection, newest: dict[bytes | None, bytes | None]
    ) -> None:
        self._check_epoch(connection)
        cells: list[object] = []
        for key, value in newest.items():
            if value is not None:
                cells += (self._number, key, value)
        PUT.execute(connection, cells)
        gone = [(self._number, key) for key, value in newest.items() if value is None]
        connection.executemany("DELETE FROM checkpoints WHERE place = ? AND key = ?", gone)

    def _check_epoch(self, connection: sqlite3.Connection) -> None:
        found = connection.execute("SELECT epoch FROM places WHERE place = ?", (self._number,))
        newest = found.fetchone()[0]
        if newest != self._epoch:
            topic, partition = self._place
            message = f"{topic}/{partition} was opened by a newer owner (epoch {newest})"
            raise Fenced(f"{message}; epoch {self._epoch} may not write any more")


def next_epoch(connection: sqlite3.Connection, number: int) -> int:
    """Begin the epoch of a new owner, inside a transaction."""
    connection.execute("UPDATE places SET epoch = epoch + 1 WHERE place = ?", (number,))
    found = connection.execute("SELECT epoch FROM places WHERE place = ?", (number,))
    return int(found.fetchone()[0])
