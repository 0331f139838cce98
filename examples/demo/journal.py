"""The handlers' journal: what was called when, by which process. Lines are only ever added.

A line is written in one piece (O_APPEND) when a call begins and when it ends, so the journal
also tells of calls whose process was killed in their middle: they have no end.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import orjson

from sagalog.engine import Context


class Line(NamedTuple):
    """One line: a call of `handler` began or ended. `time` in milliseconds since the epoch."""

    event: Literal["begin", "end"]
    handler: str
    instance: str
    step: str
    phase: str
    attempt: int
    key: str
    pid: int
    time: int
    error: str = ""


class Journal:
    """Adds lines to a file. Processes may share it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    @contextmanager
    def call(self, handler: str, ctx: Context) -> Iterator[None]:
        """Note that a handler is called, and how that ends."""
        self._note("begin", handler, ctx)
        try:
            yield
        except Exception as error:
            self._note("end", handler, ctx, f"{type(error).__name__}: {error}")
            raise
        self._note("end", handler, ctx)

    def _note(
        self, event: Literal["begin", "end"], handler: str, ctx: Context, error: str = ""
    ) -> None:
        now, key = time.time_ns() // 1_000_000, ctx.idempotency_key
        call = (handler, ctx.instance, ctx.step, ctx.phase, ctx.attempt, key, os.getpid(), now)
        os.write(self._file, orjson.dumps(Line(event, *call, error)._asdict()) + b"\n")


def lines(path: Path) -> list[Line]:
    """Read a journal from its beginning."""
    return [Line(**orjson.loads(line)) for line in path.read_bytes().splitlines()]
