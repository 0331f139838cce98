"""Requests that are copied while pods and the broker die, and who looks on meanwhile.

After Kafka's own TransactionsTest: one reader follows the log all the time, another one reads
it at the end, and both must have seen the same.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any

from sagalog.engine.app import App
from sagalog.engine.partition import Partition
from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.record import Record
from sagalog.streams.client import Client
from sagalog.streams.handle import Handle
from sagalog.streams.kafka import KafkaLog
from tests.recovery.world import World

_NO_END = 2**62


class Along:
    """Reads the events from their beginning as they come, and counts the results."""

    def __init__(self, world: World) -> None:
        self.records: list[Record] = []
        self.results = 0
        self._world = world
        self._grown = asyncio.Condition()

    async def read(self) -> None:
        """Read until it is cancelled."""
        reader = self._world.log.reader()
        for number in range(self._world.partitions):
            reader.watch((self._world.topics.events, number), 0)
        try:
            while True:
                for record in await reader.read(1.0):
                    self._take(record)
                async with self._grown:
                    self._grown.notify_all()
        finally:
            await reader.close()

    async def comes_to(self, results: int) -> None:
        """Wait until so many results were read."""
        async with self._grown:
            await self._grown.wait_for(lambda: self.results >= results)

    def _take(self, record: Record) -> None:
        self.records.append(record)
        message = codec.decode(record.value)
        if isinstance(message, Envelope) and isinstance(message.data, f.Completed):
            self.results += 1


class Glances:
    """Looks at all tables again and again: each must be a whole checkpoint (rule 2)."""

    def __init__(self, world: World) -> None:
        self.seen = 0
        self._world = world

    async def look(self) -> None:
        """Look until it is cancelled. Raises Impossible for a table that is none."""
        log = self._world.log
        assert isinstance(log, KafkaLog)
        while True:
            for number in range(self._world.partitions):
                rows = await log.table(self._world.topics.tables, number)
                owner = Partition(App("nobody"), number, self._world.partitions, "glance")
                owner.restore(rows, 0, _NO_END)
                self.seen += bool(rows)
            await asyncio.sleep(0.05)


class Copies:
    """Requests under way, in the order in which they were made."""

    def __init__(self, client: Client, count: int) -> None:
        self.handles: list[Handle[Any]] = []
        self._client, self._count = client, count

    async def request(self) -> None:
        """Make all of them, without waiting for one before the next."""
        requests: list[Awaitable[Handle[Any]]] = []
        for number in range(self._count):
            request = self._client.submit("copy", {"number": number})
            requests.append(asyncio.ensure_future(request))
            await asyncio.sleep(0.002)
        self.handles = list(await asyncio.gather(*requests))

    async def outcomes(self) -> list[Any]:
        """What each gave, in that order."""
        return list(await asyncio.gather(*(handle.result() for handle in self.handles)))
