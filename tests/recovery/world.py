"""A log with an app on it, for scenarios that run on every kind of log alike.

Each pod and each client gets a log of its own, as processes have.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

from sagalog.engine import App
from sagalog.schemas import codec
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Entry, Record
from sagalog.schemas.topics import Topics
from sagalog.streams.client import Client
from sagalog.streams.embedded import EmbeddedLog, MemoryLog, MemoryStore
from sagalog.streams.embedded.limits import MAX_RECORD_BYTES
from sagalog.streams.log import Log
from sagalog.streams.pod import Pod
from sagalog.streams.pod_settings import PodSettings

PATIENCE = 10.0
"""Seconds that anything may take before a test gives up on it."""

T = TypeVar("T")


class World:
    """One set of topics, and who works on them.

    `make` gives a new log, not opened yet; `limit` is the most bytes of a record.
    """

    def __init__(
        self, name: str, make: Callable[[], Log], *, partitions: int = 2, limit: int = 0
    ) -> None:
        self.name, self.partitions = name, partitions
        self.topics = Topics(name)
        self._make, self._limit = make, limit
        self._stack = AsyncExitStack()
        self.log: Log

    async def __aenter__(self) -> Self:
        self.log = await self.open_log()
        specs = self.topics.specs(self.partitions)
        if self._limit:
            less = {"max.message.bytes": str(self._limit)}
            specs = [replace(spec, settings=less | spec.settings) for spec in specs]
        await self.log.create(specs)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def open_log(self) -> Log:
        """Another log, as another process would open it; closed at the end."""
        log = self._make()
        await log.open()
        self._stack.push_async_callback(log.close)
        return log

    async def pod(
        self, app: App, member: str = "a", log: Log | None = None, **settings: Any
    ) -> Pod:
        """A pod that works; stopped at the end."""
        pod = Pod(
            app,
            log or await self.open_log(),
            member=member,
            settings=PodSettings(**({"checkpoint_interval": 0.1} | settings)),
        )
        self._stack.push_async_callback(_stop, pod)
        await pod.start()
        return pod

    async def client(self, app: App | str, log: Log | None = None, **options: Any) -> Client:
        """A client that listens; closed at the end."""
        client = Client(log or await self.open_log(), app, **options)
        await client.open()
        self._stack.push_async_callback(client.close)
        return client

    # -- what stands in the log

    async def records(self, topic: str) -> list[Record]:
        """All records of a topic, partition after partition; `topic` without the app's name."""
        name = f"{self.name}.{topic}"
        places = [(name, number) for number in range(self.partitions)]
        return [record for place in places for record in await read_all(self.log, place)]

    async def messages(self, topic: str, instance: str | None = None) -> list[Envelope]:
        """The messages of a topic, of one instance or of all; what is no message is left out."""
        decoded = [codec.decode(record.value) for record in await self.records(topic)]
        return [
            message
            for message in decoded
            if isinstance(message, Envelope) and instance in (None, message.subject)
        ]

    async def facts(self, instance: str) -> list[Any]:
        """The facts of an instance, in log order."""
        return [message.data for message in await self.messages("events", instance)]

    async def kinds(self, instance: str) -> list[str]:
        """The facts of an instance by their names."""
        return [type(fact).__name__ for fact in await self.facts(instance)]

    async def put(
        self, topic: str, key: bytes | None, value: bytes | None, partition: int | None = None
    ) -> int:
        """Append anything, as anybody could; its offset."""
        number = partition_of(key or b"", self.partitions) if partition is None else partition
        return await self.log.append(f"{self.name}.{topic}", number, [Entry(key, value)])

    async def ask(self, lane: str, request: Any, instance: str, **parts: Any) -> int:
        """Append a request, as a client in any language could."""
        now = time.time_ns() // 1_000_000
        value = codec.encode(request, id="foreign", source="test", subject=instance, now=now)
        return await self.put(lane, instance.encode(), value, **parts)


async def read_all(log: Log, place: tuple[str, int]) -> list[Record]:
    """What a place holds now."""
    start, end = (await log.starts([place]))[place], (await log.ends([place]))[place]
    reader, found = log.reader(), list[Record]()
    reader.watch(place, start)
    try:
        async with asyncio.timeout(PATIENCE):
            while start < end:
                for record in await reader.read(1.0):
                    found.append(record)
                    start = record.offset + 1
    finally:
        await reader.close()
    return [record for record in found if record.offset < end]


async def eventually(
    look: Callable[[], Awaitable[T]], *, patience: float = PATIENCE, pause: float = 0.02
) -> T:
    """What `look` gives as soon as that is true of anything."""
    deadline = time.monotonic() + patience
    while not (seen := await look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"never came: {getattr(look, '__name__', look)}")
        await asyncio.sleep(pause)
    return seen


async def _stop(pod: Pod) -> None:
    await asyncio.wait_for(pod.stop(), PATIENCE)


@asynccontextmanager
async def memory_world(limit: int = MAX_RECORD_BYTES) -> AsyncIterator[World]:
    """A world in memory."""
    store = MemoryStore()
    async with World("orders", lambda: MemoryLog(store, max_record_bytes=limit)) as world:
        yield world


@asynccontextmanager
async def file_world(folder: Path, limit: int = MAX_RECORD_BYTES) -> AsyncIterator[World]:
    """A world in one file. Nothing here is about power loss, so it does not wait for the disk."""

    def make() -> EmbeddedLog:
        return EmbeddedLog(folder / "world.db", fsync=False, max_record_bytes=limit)

    async with World("orders", make) as world:
        yield world
