"""Logs on files, and other processes that use them, for the tests of this folder."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from sagalog.schemas.record import Entry, Record
from sagalog.schemas.topics import TopicSpec
from sagalog.streams.embedded import EmbeddedLog
from sagalog.streams.log import Log, Place, Reader

ROOT = Path(__file__).parents[3]
TOPIC = TopicSpec("t.events", 4)
PLACE: Place = ("t.events", 0)
SOON = 20.0


@asynccontextmanager
async def open_log(path: Path, **options: object) -> AsyncGenerator[EmbeddedLog]:
    """An open log with TOPIC on it."""
    log = EmbeddedLog(path, **options)  # type: ignore[arg-type]
    await log.open()
    try:
        await log.create([TOPIC])
        yield log
    finally:
        await log.close()


def entries(*values: object) -> list[Entry]:
    return [Entry(b"key", str(value).encode()) for value in values]


def values(records: Sequence[Record]) -> list[str]:
    return [(record.value or b"").decode() for record in records]


def watching(log: Log, *places: Place) -> Reader:
    """A reader of these places, PLACE if none are named, from offset 0."""
    reader = log.reader()
    for place in places or (PLACE,):
        reader.watch(place, 0)
    return reader


async def read(reader: Reader, count: int) -> list[Record]:
    """The next `count` records."""
    records: list[Record] = []
    async with asyncio.timeout(SOON):
        while len(records) < count:
            records += await reader.read(1.0)
    return records


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what nobody is told of."""
    async with asyncio.timeout(SOON):
        while not await check():  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.01)


async def read_all(log: Log, place: Place = PLACE) -> list[Record]:
    """All records that a place holds."""
    start, end = (await log.starts([place]))[place], (await log.ends([place]))[place]
    reader = log.reader()
    reader.watch(place, start)
    records = await read(reader, end - start)
    await reader.close()
    return records


@asynccontextmanager
async def other_process(what: str, path: Path, *arguments: str) -> AsyncGenerator[Process]:
    """A process that does `what` (see children.py), until it ends or the block does."""
    command = (sys.executable, "-m", "tests.streams.embedded.children", what, str(path))
    process = await asyncio.create_subprocess_exec(
        *command, *arguments, stdout=PIPE, stdin=PIPE, cwd=ROOT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def says(process: Process) -> str:
    """The next line that another process prints."""
    assert process.stdout
    async with asyncio.timeout(SOON):
        return (await process.stdout.readline()).decode().strip()


async def kill(process: Process) -> None:
    """kill -9, and wait until the system has cleared it away."""
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
