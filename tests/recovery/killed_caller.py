"""A caller is killed between each two steps of the critical path; nothing is lost or done twice."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sagalog.schemas.ids import instance_id
from tests.house.tree import ROOT
from tests.recovery.caller import Effects, make
from tests.recovery.world import PATIENCE, World, eventually

WORK = instance_id("", "charge", "k")
"""The instance that each call is about."""


class Caller:
    """A process that makes one call when it is told to."""

    def __init__(self, process: asyncio.subprocess.Process, errors: Path) -> None:
        self.process, self._errors = process, errors

    async def says(self) -> str:
        """Its next line."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 2 * PATIENCE)
        return line.decode().strip() or f"nothing: {self._errors.read_text()[-3000:]}"

    def go(self) -> None:
        """Make the call."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")

    async def dies(self, point: str) -> None:
        """Make the call, and be gone."""
        self.go()
        assert await self.says() == f"dies: {point}"
        await self.process.wait()


@asynccontextmanager
async def caller(url: str, app: str, folder: Path, point: str, *more: str) -> AsyncIterator[Caller]:
    """A caller that is connected; none is left at the end."""
    errors = folder / "caller.log"
    with errors.open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.recovery.caller", url, app, str(folder), point, *more),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
        )
    made = Caller(process, errors)
    try:
        assert await made.says() == "ready"
        yield made
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def recovered(world: World, folder: Path) -> None:
    """A pod works, and the work is done: each step has had its effect once, and one key."""
    app = make(world.name, folder)
    await world.pod(app, recover_interval=0.2)
    client = await world.client(app, spool=folder / "spool")

    async def completed() -> bool:
        return "Completed" in await world.kinds(WORK)

    await eventually(completed, patience=2 * PATIENCE)
    expected = [f"charge {WORK}::charge", f"save {WORK}::save"]
    assert Effects(folder).lines() == expected

    async def gone() -> bool:
        return not await client.backups() and client._path._spool.empty

    await eventually(gone, patience=2 * PATIENCE)
    again = await client.critical(app.operations["charge"], 7, then="save", key="k")
    assert again.result == "receipt for 7"
    assert Effects(folder).lines() == expected
