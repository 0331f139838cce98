"""Lines of text between processes: what stdin says, and files that only grow."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson


def now() -> int:
    """Milliseconds since the epoch, on the clock that stamps records too."""
    return time.time_ns() // 1_000_000


async def heard() -> AsyncIterator[str]:
    """The lines of stdin as they come, until it ends."""
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await reader.readline():
        yield line.decode().strip()


class Book:
    """A file of JSON lines, each one write, so that what was written is there however one ends."""

    def __init__(self, file: Path) -> None:
        self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def note(self, what: str, **said: Any) -> None:
        """Write a line of `what` happened now."""
        os.write(self._descriptor, orjson.dumps({"what": what, "at": now(), **said}) + b"\n")

    def close(self) -> None:
        """Write no more."""
        os.close(self._descriptor)


class Tail:
    """Reads a file of JSON lines on, as it grows."""

    def __init__(self, file: Path) -> None:
        self._file, self._at = file, 0

    def news(self) -> list[dict[str, Any]]:
        """The whole lines that were not read yet."""
        if not self._file.exists():
            return []
        with self._file.open("rb") as file:
            file.seek(self._at)
            whole, _, _ = file.read().rpartition(b"\n")
        self._at += len(whole) + bool(whole)
        return [orjson.loads(line) for line in whole.splitlines()]


def read(file: Path) -> list[dict[str, Any]]:
    """All lines of a file; [] where there is none."""
    return Tail(file).news()
