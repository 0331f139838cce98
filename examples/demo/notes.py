"""What the placing process sees, noted line by line in a file of its own as it happens."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class Notes:
    """Adds lines to a file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def add(self, event: str, **details: Any) -> None:
        """Add one line."""
        self._file.write(orjson.dumps({"event": event, "time": now(), **details}) + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read(path: Path, event: str) -> Iterator[dict[str, Any]]:
    """Read the lines of one kind."""
    for line in path.read_bytes().splitlines():
        note = orjson.loads(line)
        if note["event"] == event:
            yield note
