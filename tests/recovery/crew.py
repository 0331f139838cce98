"""Worker processes to start, kill, freeze and thaw, and the record of what was done to them."""

import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import Literal, Self

from sagalog.streams.audit import Blow
from tests.house.tree import ROOT
from tests.recovery import journal
from tests.recovery.world import PATIENCE, eventually

JUST_NOW = 3
"""Milliseconds: less than a handler takes between its two lines."""

START = 90.0
"""Seconds in which a process starts on any machine, however much else it does."""


class Worker:
    """One process that runs a pod."""

    def __init__(self, crew: "Crew", member: str, process: asyncio.subprocess.Process) -> None:
        self.member, self.process = member, process
        self._crew = crew

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    async def ready(self) -> None:
        """Wait until it has joined."""
        assert await asyncio.wait_for(self.joins(), START), self._crew.errors()

    async def joins(self) -> bool:
        """Wait until it has joined, or has ended instead."""
        assert self.process.stdout is not None
        return await self.process.stdout.readline() == b"ready\n"

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._strike("kill", signal.SIGKILL)
        await self.process.wait()

    async def cut(self) -> None:
        """SIGKILL while a handler of it has begun and not ended."""
        await eventually(self._in_a_call, pause=0.001)
        await self.kill()

    async def _in_a_call(self) -> bool:
        """Whether it has just begun a call; then it is stopped there, else it goes on."""
        assert self.process.returncode is None, self._crew.errors()
        self.process.send_signal(signal.SIGSTOP)
        just_now = time.time_ns() // 1_000_000 - JUST_NOW
        begun = {
            (line.key, line.attempt): line.what
            for line in journal.read(self._crew.journal)
            if line.pid == self.pid and line.at >= just_now
        }
        if "begin" in begun.values():
            return True
        self.process.send_signal(signal.SIGCONT)
        return False

    def freeze(self) -> None:
        """SIGSTOP: it keeps its memory and its connections, and does nothing."""
        self._strike("freeze", signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: it goes on as if nothing had happened."""
        self._strike("thaw", signal.SIGCONT)

    async def stop(self) -> None:
        """SIGTERM, and wait until it has ended in order."""
        self.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(self.process.wait(), PATIENCE) == 0, self._crew.errors()

    def _strike(self, what: Literal["kill", "freeze", "thaw"], number: signal.Signals) -> None:
        """What it did is before the blow that ended it, and behind the one that woke it."""
        assert self.process.returncode is None, self._crew.errors()
        before = time.time_ns() // 1_000_000
        self.process.send_signal(number)
        at = before if what == "thaw" else time.time_ns() // 1_000_000
        self._crew.blows.append(Blow(what, self.pid, at))


class Crew:
    """The workers of one test. Nothing of them is left at its end."""

    def __init__(self, url: str, app: str, folder: Path, *, session: float = 10.0) -> None:
        self.url, self.app, self.session = url, app, session
        self.journal = folder / "journal"
        self.blows: list[Blow] = []
        self._folder = folder
        self._workers: list[Worker] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self._workers:
            if worker.process.returncode is None:
                worker.process.kill()
            await worker.process.wait()

    async def start(self, member: str, *options: str, wait: bool = True) -> Worker:
        """A new worker, ready to work."""
        with (self._folder / f"{member}.log").open("ab") as said:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.recovery.worker"),
                *(self.url, self.app, member, str(self.journal)),
                *("--session", str(self.session), *options),
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=said,
            )
        worker = Worker(self, member, process)
        self._workers.append(worker)
        if wait:
            await worker.ready()
        return worker

    def errors(self) -> str:
        """The end of what the workers have said."""
        files = sorted(self._folder.glob("*.log"))
        said = (f"{file.name}\n{file.read_text(errors='replace')[-4000:]}" for file in files)
        return "\n".join(said)
