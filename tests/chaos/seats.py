"""The pods that are always there: whatever ends one, it comes back."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import suppress
from itertools import count

from tests.chaos.lines import Book
from tests.recovery.crew import START, Crew, Worker
from tests.recovery.worker import AWAY

AFTER_DEATH = 0.5
"""Seconds until one that has ended by itself is started again, as any supervisor would."""


class Seat:
    """One pod, now under this name and now under that; `busy` while something is done to it."""

    def __init__(self, crew: Crew, book: Book, name: str, *options: str) -> None:
        self.busy = False
        self.joined = asyncio.Event()
        """Whoever sits here has joined its group."""
        self.worker: Worker
        self.name = name
        self._crew, self._book, self._options = crew, book, options
        self._names: Iterator[str] = (f"{name}-{number}" for number in count(2))
        self._doomed = False
        self._watching: asyncio.Task[None]

    async def open(self) -> None:
        """Start it under its name."""
        self._doomed = False
        self.joined.clear()
        self.worker = await self._crew.start(self.name, *self._options, wait=False)
        self._book.note("start", who=self.name, pid=self.worker.pid)
        self._watching = asyncio.create_task(self._watch(self.worker))

    async def kill(self, *, away: float = 0.0, renamed: bool = False) -> None:
        """SIGKILL; it comes back after `away` seconds, perhaps as another."""
        if self.worker.process.returncode is not None:
            return  # it has died by itself, and comes back by itself
        self._doomed = True
        self.joined.clear()
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
        with suppress(ProcessLookupError):  # its status says that it has ended before
            self.worker.process.terminate()
        return await self.worker.process.wait()

    def _noted(self) -> None:
        """Others may have been struck meanwhile."""
        pid = self.worker.pid
        blow = next(blow for blow in reversed(self._crew.blows) if blow.pid == pid)
        self._book.note("blow", blow=blow.what, who=self.name, pid=blow.pid, struck=blow.at)

    async def _watch(self, worker: Worker) -> None:
        if await worker.joins() and worker is self.worker and not self._doomed:
            self.joined.set()
        code = await worker.process.wait()
        if not self._doomed and worker is self.worker:
            self.joined.clear()
            what = "away" if code == AWAY else "died"
            self._book.note(what, who=self.name, pid=worker.pid, code=code)
            await asyncio.sleep(AFTER_DEATH)
            await self.open()


class Guests:
    """Members that join and leave again, one behind the other."""

    def __init__(self, crew: Crew, book: Book, *options: str) -> None:
        self.coming = 0
        """How many have started and not joined yet."""
        self._crew, self._book, self._options = crew, book, options
        self._numbers = count(1)

    async def visit(self, seconds: float) -> bool:
        """One joins, stays, and leaves in order; whether it came to that."""
        name = f"guest-{next(self._numbers)}"
        worker = await self._crew.start(name, *self._options, wait=False)
        self._book.note("start", who=name, pid=worker.pid)
        joined = await self._joined(worker)
        if joined:
            self._book.note("joined", who=name, pid=worker.pid)
            await asyncio.sleep(seconds)
            self._end(worker)
        code = await worker.process.wait()
        # Before it joins it knows no order to end.
        asked = (0,) if joined else (0, -signal.SIGTERM, AWAY)
        self._book.note("left" if code in asked else "died", who=name, pid=worker.pid, code=code)
        return joined

    async def _joined(self, worker: Worker) -> bool:
        self.coming += 1
        try:
            async with asyncio.timeout(START):
                return await worker.joins()
        except TimeoutError:
            self._end(worker)
            return False
        finally:
            self.coming -= 1

    def _end(self, worker: Worker) -> None:
        if worker.process.returncode is None:
            worker.process.terminate()
