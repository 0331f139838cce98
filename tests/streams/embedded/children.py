"""What other processes do with a log: python -m tests.streams.embedded.children WHAT PATH ..."""

import asyncio
import itertools
import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

from tests.streams.embedded.files import PLACE, TOPIC, entries, open_log, watching


def say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


async def nothing(partitions: frozenset[int]) -> None:
    """Take or give up partitions without a word."""


async def append(path: Path, writer: str) -> None:
    """Append for ever, and say the last number of each bunch once it is acknowledged."""
    async with open_log(path) as log:
        say("open")
        numbers = itertools.count()
        for size in itertools.cycle([1, 7, 30, 300]):
            bunch = [f"{writer}:{next(numbers)}" for _ in range(size)]
            await log.append(*PLACE, entries(*bunch))
            say(bunch[-1].split(":")[1])


async def own(path: Path, member: str, *fork: str) -> None:
    """Own the group g until killed, or until a line comes in; with a forked child, if asked."""
    async with open_log(path) as log:
        await log.join("g", TOPIC.name, member, nothing, nothing)
        say("owned")
        if fork:
            child = os.fork()
            if not child:
                os.closerange(0, 3)  # nobody shall wait for the end of its output
                signal.pause()
            say(child)
        await asyncio.to_thread(sys.stdin.readline)


async def echo(path: Path, *_: str) -> None:
    """Append to partition 1 what is read from partition 0."""
    async with open_log(path) as log:
        reader = watching(log)
        say("open")
        while True:
            for record in await reader.read(60.0):
                log.append(TOPIC.name, 1, entries((record.value or b"").decode()))


async def lock(path: Path, *_: str) -> None:
    """Write without end: hold the write lock."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    say("locked")
    await asyncio.to_thread(sys.stdin.readline)
    connection.execute("COMMIT")
    say("unlocked")
    await forever()


CHILDREN: dict[str, Callable[..., Coroutine[None, None, None]]] = {
    "append": append,
    "own": own,
    "echo": echo,
    "lock": lock,
}

if __name__ == "__main__":
    what, file, *words = sys.argv[1:]
    asyncio.run(CHILDREN[what](Path(file), *words))
