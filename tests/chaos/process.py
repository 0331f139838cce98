"""Processes of the harness itself: each ends with whoever started it, by its stdin."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Self

from tests.house.tree import ROOT

PATIENCE = 40.0


class Process:
    """One process that says lines and hears lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, module: str, *arguments: str, log: Path) -> Self:
        """Run a module of the tests; what it says on stderr goes to `log`."""
        with log.open("ab") as said:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", module, *arguments),
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=said,
            )
        return cls(process)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """How it ended, or None while it runs."""
        return self._process.returncode

    def say(self, line: str) -> None:
        """Tell it a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def hear(self, timeout: float = PATIENCE) -> str:
        """The next line that it says; empty where it has ended."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), timeout)
        return line.decode().strip()

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.code is None:
            self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    async def end(self) -> str:
        """Close its stdin, and wait; the last that it has said."""
        said, _ = await asyncio.wait_for(self._process.communicate(b""), PATIENCE)
        return said.decode().strip()
