"""What handlers did to the world: a line before and a line after each effect, kept by the kernel.

Each line is one write to a file opened with O_APPEND, so lines of several processes never mix,
and what a process has written is there however it ends.
"""

import os
import time
from pathlib import Path
from typing import Literal, NamedTuple

import orjson

What = Literal["begin", "effect"]


class Line(NamedTuple):
    """One line. `at` is in milliseconds since the epoch, on the clock that stamps records too."""

    what: What
    at: int
    pid: int
    operation: str
    instance: str
    step: str
    phase: str
    attempt: int
    key: str


class Journal:
    """Writes lines. One for each process."""

    def __init__(self, file: Path) -> None:
        self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, what: What, operation: str, instance: str, *rest: str | int) -> None:
        """Write a line; `rest` is step, phase, attempt and key."""
        line = [what, time.time_ns() // 1_000_000, os.getpid(), operation, instance, *rest]
        os.write(self._descriptor, orjson.dumps(line) + b"\n")


def read(file: Path) -> list[Line]:
    """All lines, in the order in which they were written."""
    if not file.exists():
        return []
    return [Line(*orjson.loads(line)) for line in file.read_bytes().splitlines()]


def length(file: Path) -> int:
    """How many lines there are."""
    return file.read_bytes().count(b"\n") if file.exists() else 0
