"""Handlers for processes: what computes, what dies, what cannot be told."""

import fcntl
import os
import sys
import time
from pathlib import Path
from typing import Any

from sagalog.engine import App, Context, Retry, Terminal, Unavailable

app = App("heavy")
SURE = Retry(never=(KeyError,))


@app.operation(pool="process")
def where(ctx: Context) -> dict[str, Any]:
    return {"pid": os.getpid(), "key": ctx.idempotency_key, "attempt": ctx.attempt}


@app.operation(pool="process")
def spin(seconds: float) -> list[Any]:
    """Compute for so long; when it began and ended (s), and where."""
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        sum(range(1000))
    return [began, time.monotonic(), os.getpid()]


@app.operation(pool="process")
def mark_and_spin(file: str) -> None:
    """Say in a file where it computes, and go on for ever."""
    Path(file).write_text(str(os.getpid()))
    while True:
        sum(range(1000))


@app.operation(pool="process", retry=SURE)
def fail(how: str) -> None:
    raise {
        "error": ValueError("a bug"),
        "terminal": Terminal("never"),
        "never": KeyError("no such thing"),
        "unavailable": Unavailable("away"),
        "exit": SystemExit(3),
    }[how]


@app.operation(pool="process")
def end_at_once(code: int) -> None:
    os._exit(code)


@app.operation(pool="process")
def fork(how: dict[str, Any]) -> None:
    """Fork what stays and locks a `file`; it may `leave` the session, and this may `end`."""
    file, end, leave = Path(how["file"]), how.get("end"), how.get("leave")
    if not os.fork():
        if leave:
            os.setsid()
        with file.open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            held.write(str(os.getpid()))
            held.flush()
            while True:
                time.sleep(60)
    while end and not (file.exists() and file.read_text()):
        time.sleep(0.01)
    if end:
        os._exit(7)
    while True:
        sum(range(1000))


@app.operation(pool="process")
def odd() -> Any:
    return object()


@app.operation(pool="process")
def typed(number: int) -> int:
    return number + 1


@app.operation(pool="process")
def noisy(size: int) -> str:
    """Print, read, and return much: none of it is a frame."""
    print("x" * 1000)
    assert sys.stdin.read() == ""
    return "y" * size


def by_call(number: int) -> int:
    return number * 2


app.operation(pool="process", name="called")(by_call)
