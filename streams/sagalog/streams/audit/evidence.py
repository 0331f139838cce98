"""What is told beside the log: what handlers did, and what was done to their processes."""

import os
import time
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import orjson

from sagalog.engine import Context

What = Literal["begin", "effect"]
_WHATS = frozenset(get_args(What))

Struck = Literal["kill", "freeze", "thaw", "lose"]


class Call(NamedTuple):
    """One line of a journal: a handler's call begins, or has had its effect.

    `at` is in milliseconds, on the clock that stamps records too. `pid` names the process,
    or whatever in a simulation dies, freezes and loses partitions as one. `phase` is
    `forward` or `undo`, `key` the idempotency key. `read` and `seen`, where they are known,
    are the offsets of `events` up to which the caller had read when it decided to call: at
    least so far, and at most. -1 where nobody knows.
    """

    what: What
    at: int
    pid: int
    operation: str
    instance: str
    step: str
    phase: str
    attempt: int
    key: str
    read: int = -1
    seen: int = -1


class Blow(NamedTuple):
    """Something done to a process, at `at` (ms).

    kill: it is gone. freeze, thaw: it stood still, and goes on. lose: another took a
    partition from it, and it does not know yet; `partition` says which, -1 all of them.
    """

    what: Struck
    pid: int
    at: int
    partition: int = -1


class Journal:
    """Writes what handlers do to a file, a line a call; one for each process.

    A line is one write to a file opened with O_APPEND: lines of several processes never mix,
    and what a process has written is there however it ends.
    """

    def __init__(self, file: Path) -> None:
        self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def begin(self, context: Context) -> None:
        """The call that `context` tells of begins."""
        self._write("begin", context)

    def effect(self, context: Context) -> None:
        """The call has had its effect."""
        self._write("effect", context)

    def _write(self, what: What, context: Context) -> None:
        line = Call(
            what,
            time.time_ns() // 1_000_000,
            os.getpid(),
            context.operations.get(context.step, context.step),
            context.instance,
            context.step,
            context.phase,
            context.attempt,
            context.idempotency_key,
        )
        os.write(self._descriptor, orjson.dumps(line, default=tuple) + b"\n")

    def close(self) -> None:
        """Write no more."""
        os.close(self._descriptor)


def read_journal(file: Path) -> list[Call]:
    """All lines of a journal, in the order in which they were written; [] where there is none.

    Raises ValueError for what is no journal.
    """
    if not file.exists():
        return []
    lines = file.read_bytes().splitlines()
    return [_call(line, f"{file}, line {number}") for number, line in enumerate(lines, 1)]


def _call(line: bytes, place: str) -> Call:
    try:
        call = Call(*orjson.loads(line))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{place} is no call of a journal: {error}") from error
    if call.what not in _WHATS:
        raise ValueError(f"{place} says {call.what!r}, which is neither begin nor effect")
    return call
