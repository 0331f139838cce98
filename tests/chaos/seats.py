"""The pods that are always there: whatever ends one, it comes back."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import suppress
from itertools import count

from tests.chaos.lines import Book
from tests.recovery.crew import Crew, Worker

AFTER_DEATH = 0.5
"""Seconds until one that has ended by itself is started again, as any supervisor would."""


class Seat:
    """One pod, now under this name and now under that; `busy` while something is done to it."""

    def __init__(self, crew: Crew, book: Book, name: str, *options: str) -> None:
        self.busy = False
        self.worker: Worker
        self.name = name
        self._crew, self._book, self._options = crew, book, options
        self._names: Iterator[str] = (f"{name}-{number}" for number in count(2))
        self._doomed = False
        self._watching: asyncio.Task[None]

    async def open(self, *, wait: bool = False) -> None:
        """Start it under its name."""
        self._doomed = False
        self.worker = await self._crew.start(self.name, *self._options, wait=wait)
        self._book.note("start", who=self.name, pid=self.worker.pid)
        self._watching = asyncio.create_task(self._watch(self.worker))

    async def kill(self, *, away: float = 0.0, renamed: bool = False) -> None:
        """SIGKILL; it comes back after `away` seconds, perhaps as another."""
        if self.worker.process.returncode is not None:
            return  # it has died by itself, and comes back by itself
        self._doomed = True
        await self.worker.kill()
        self._noted()
        await asyncio.sleep(away)
        if renamed:
            self.name = next(self._names)
        await self.open()

    async def freeze(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT so many seconds later."""
        if self.worker.process.returncode is not None:
            return
        self.worker.freeze()
        self._noted()
        await asyncio.sleep(seconds)
        self.worker.thaw()
        self._noted()

    async def stop(self) -> int:
        """SIGTERM; its exit status."""
        self._doomed = True
        self.worker.process.terminate()
        return await self.worker.process.wait()

    def _noted(self) -> None:
        blow = self._crew.blows[-1]
        self._book.note("blow", blow=blow.what, who=self.name, pid=blow.pid, struck=blow.at)

    async def _watch(self, worker: Worker) -> None:
        code = await worker.process.wait()
        if not self._doomed and worker is self.worker:
            self._book.note("died", who=self.name, pid=worker.pid, code=code)
            await asyncio.sleep(AFTER_DEATH)
            await self.open()


class Guests:
    """Members that join and leave again, one behind the other."""

    def __init__(self, crew: Crew, book: Book, *options: str) -> None:
        self._crew, self._book, self._options = crew, book, options
        self._numbers = count(1)

    async def visit(self, seconds: float) -> None:
        """One joins, stays, and leaves in order."""
        name = f"guest-{next(self._numbers)}"
        worker = await self._crew.start(name, *self._options, wait=False)
        self._book.note("start", who=name, pid=worker.pid)
        joined = False
        with suppress(TimeoutError, AssertionError):
            await worker.ready()
            joined = True
            self._book.note("joined", who=name, pid=worker.pid)
            await asyncio.sleep(seconds)
        code = worker.process.returncode
        if code is None:
            worker.process.terminate()
            code = await worker.process.wait()
        asked = -signal.SIGTERM if not joined else 0  # before it joins it knows no order to end
        what = "left" if code in (0, asked) else "died"
        self._book.note(what, who=name, pid=worker.pid, code=code)
