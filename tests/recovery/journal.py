"""What handlers did to the world: a line before and a line after each effect, kept by the kernel.

Each line is one write to a file opened with O_APPEND, so lines of several processes never mix,
and what a process has written is there however it ends.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import orjson

from sagalog.streams.audit import Call, read_journal
from sagalog.streams.audit.evidence import What

Line = Call
read = read_journal


class Journal:
    """Writes lines. One for each process."""

    def __init__(self, file: Path) -> None:
        self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, what: What, operation: str, instance: str, *rest: str | int) -> None:
        """Write a line; `rest` is step, phase, attempt and key."""
        line = [what, time.time_ns() // 1_000_000, os.getpid(), operation, instance, *rest]
        os.write(self._descriptor, orjson.dumps(line) + b"\n")


def length(file: Path) -> int:
    """How many lines there are."""
    return file.read_bytes().count(b"\n") if file.exists() else 0


def duplicates(lines: Sequence[Call]) -> int:
    """How many calls were made once more with the same key and attempt."""
    begun = [(line.key, line.attempt) for line in lines if line.what == "begin"]
    return len(begun) - len(set(begun))
