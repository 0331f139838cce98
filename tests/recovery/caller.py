"""A process that makes one critical call: python -m tests.recovery.caller URL APP FOLDER POINT.

It kills itself at POINT, where that is one of POINTS; else it prints the outcome. What its
handlers do goes to the file `effects` in the folder, a line each, by idempotency key.
With --patience the log has so many seconds before the spool is used.
"""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import structlog

from sagalog.engine import App, Context
from sagalog.schemas.claims import Backup
from sagalog.streams.client import Client
from sagalog.streams.opening import log_at
from sagalog.streams.posting import Post
from sagalog.streams.spool import Spool

POINTS = (
    "before the backup",
    "backup",
    "grant",
    "in the effect",
    "effect",
    "result",
    "in what follows",
    "what follows",
    "told",
)
"""Where it dies: behind what the name says, or in it."""


class Effects:
    """What handlers have done, in a file that outlives them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "effects"

    def note(self, step: str, ctx: Context) -> bool:
        """Do it, unless a call with this key has (rule 15); whether it was done now."""
        if any(line.split(" ")[1] == ctx.idempotency_key for line in self.lines()):
            return False
        with self.path.open("a") as file:
            file.write(f"{step} {ctx.idempotency_key}\n")
            file.flush()
            os.fsync(file.fileno())
        return True

    def lines(self) -> list[str]:
        """All that was done, in order."""
        return self.path.read_text().splitlines() if self.path.exists() else []


def make(name: str, folder: Path, die: Any = lambda _: None) -> App:
    """The app: `charge` and `save`. `die` hears of each point that is passed."""
    app, effects = App(name), Effects(folder)

    @app.operation
    async def charge(amount: int, ctx: Context) -> str:
        die("in the effect")
        effects.note("charge", ctx)
        die("effect")
        return f"receipt for {amount}"

    @app.operation
    async def save(amount: int, ctx: Context) -> str:
        assert ctx.result(charge) == f"receipt for {amount}"
        die("in what follows")
        effects.note("save", ctx)
        die("what follows")
        return f"saved {amount}"

    return app


class Dying(Post):
    """A post that says which point is passed, once what it wrote is durable."""

    die: Any = staticmethod(lambda _: None)

    def backup(self, backup: Backup) -> "asyncio.Future[int]":
        """Write a backup."""
        point = "result" if backup.claim.done else "backup"
        return asyncio.ensure_future(self._passed(super().backup(backup), point))

    async def _passed(self, future: "asyncio.Future[int]", point: str) -> int:
        offset = await future
        self.die(point)
        return offset


async def call(arguments: argparse.Namespace) -> None:
    """Make the call."""

    def die(point: str) -> None:
        if point == arguments.point:
            print(f"dies: {point}", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

    log = log_at(arguments.url)
    await log.open()
    app = make(arguments.app, arguments.folder, die)
    client = Client(log, app, spool=arguments.folder / "spool")
    Dying.die = staticmethod(die)
    client._post.__class__ = Dying
    client._path.patience = arguments.patience
    await client.open()
    _watch(client, die)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    die("before the backup")
    told = await client.critical(app.operations["charge"], 7, then="save", key="k", lease=2.0)
    where = "spooled" if told.spooled else "log"
    print(f"done: {told.result} {told.emergency} {where}", flush=True)
    if arguments.linger:
        await asyncio.Event().wait()
    await client.close()
    await log.close()


def _watch(client: Client, die: Any) -> None:
    """The answers and the spool are points too."""
    post, spool = client._post, client._path._spool
    ask = post.ask

    def asked(claim: Any, instance: str) -> Any:
        answer = ask(claim, instance)
        if claim.lease:
            answer.started.add_done_callback(lambda _: die("grant"))
        else:
            answer.sent.add_done_callback(lambda sent: sent.exception() or die("told"))
        return answer

    def written(id: str, record: bytes | None) -> None:
        Spool.write(spool, id, record)
        backup = post.decoded(record)
        if backup is not None:
            done = len(backup.claim.done)
            die(("backup", "result", "told")[done])

    post.ask = asked  # type: ignore[method-assign]
    spool.write = written  # type: ignore[method-assign]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("app")
    parser.add_argument("folder", type=Path)
    parser.add_argument("point")
    parser.add_argument("--patience", type=float, default=2.0)
    parser.add_argument("--linger", action="store_true")
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(call(parser.parse_args()))
