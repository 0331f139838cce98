"""A log in memory that writes down what happens to it: records, checkpoints and commits."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sagalog.schemas.record import Entry, Record
from sagalog.streams.embedded.memory import MemoryLog
from sagalog.streams.embedded.memory_ownership import MemoryCheckpoints
from sagalog.streams.embedded.memory_store import MemoryPlace, MemoryStore
from sagalog.streams.log import Place

ROOT = f"{Path(__file__).parents[2]}/".encode()
PLACE = re.compile(rb'(File \\")/[^"\\]*/')
"""Tracebacks name files of this machine. What is kept names ours from the root on, others alone."""


class Tape:
    """What has happened, in its order, as the lines of a history."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def record(self, record: Record) -> None:
        """A record stands in the log."""
        line: dict[str, Any] = {
            "at": [record.topic, record.partition, record.offset, record.timestamp],
            "key": said(record.key),
            "value": said(record.value),
        }
        if record.headers:
            line["headers"] = [[name, said(value)] for name, value in record.headers]
        self.lines.append(line)

    def checkpoint(self, place: Place, rows: Sequence[Entry]) -> None:
        """An owner has written its table."""
        written = {str(said(row.key)): said(row.value) for row in rows}
        self.lines.append({"table": list(place), "rows": dict(sorted(written.items()))})

    def commit(self, group: str, offsets: Mapping[Place, int]) -> None:
        """An owner has committed its lanes."""
        rows = sorted([*place, offset] for place, offset in offsets.items())
        self.lines.append({"commit": group, "offsets": rows})

    def call(self, operation: str, key: str, attempt: int) -> None:
        """A handler is called."""
        self.lines.append({"call": operation, "key": key, "attempt": attempt})


def said(value: bytes | None) -> Any:
    """Bytes as a line holds them: as text where they are UTF-8, else as hexadecimal digits."""
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return {"hex": value.hex() if value is not None else ""}


def unsaid(line: Any) -> bytes | None:
    """The bytes again."""
    if line is None:
        return None
    return bytes.fromhex(line["hex"]) if isinstance(line, dict) else str(line).encode()


class TapedCheckpoints(MemoryCheckpoints):
    """Checkpoints that are written down."""

    def __init__(self, place: MemoryPlace, tape: Tape) -> None:
        super().__init__(place)
        self._tape, self._at = tape, place.place

    async def write(self, rows: Sequence[Entry]) -> None:
        """Write all rows or none. Raises Fenced."""
        await super().write(rows)
        self._tape.checkpoint(self._at, rows)


class TapedLog(MemoryLog):
    """A log in memory, on a tape. `delay` keeps what is appended on its way until `deliver`."""

    def __init__(self, store: MemoryStore, tape: Tape, clock: Callable[[], int]) -> None:
        super().__init__(store, clock=clock)
        self._tape = tape
        self._delayed: list[tuple[str, int, Sequence[Entry]]] | None = None

    def delay(self) -> None:
        """From now on no append arrives."""
        self._delayed = []

    def deliver(self) -> None:
        """All that was on its way arrives; whoever appended it is gone."""
        delayed, self._delayed = self._delayed or [], None
        for append in delayed:
            self.append(*append)

    def append(self, topic: str, partition: int, entries: Sequence[Entry]) -> Awaitable[int]:
        """Append all entries, in order; see `Log.append`."""
        if self._delayed is not None:
            self._delayed.append((topic, partition, entries))
            return asyncio.get_running_loop().create_future()
        place = self.store.place((topic, partition))
        before = place.next
        done = super().append(topic, partition, [_anywhere(entry) for entry in entries])
        for record in place.records[before - place.start :]:
            self._tape.record(record)
        return done

    async def checkpoints(self, topic: str, partition: int) -> MemoryCheckpoints:
        """Open a partition's table, which fences every older owner's writes to it."""
        return TapedCheckpoints(self.store.place((topic, partition)), self._tape)

    async def commit(self, group: str, offsets: Mapping[Place, int]) -> None:
        """Commit for a group."""
        await super().commit(group, offsets)
        self._tape.commit(group, offsets)


def _anywhere(entry: Entry) -> Entry:
    value = entry.value and PLACE.sub(rb"\1", entry.value.replace(ROOT, b""))
    return entry._replace(value=value)
