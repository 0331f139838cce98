"""What the contract's tests write, read and listen with."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

from sagalog.schemas.record import Entry, Record
from sagalog.streams.log import Log, Place, Reader

SOON = 10.0
"""Long enough for what must come; nothing waits so long when all is well."""

BRIEF = 0.2
"""Long enough to believe that nothing comes."""

STAMPED = {"cleanup.policy": "delete", "message.timestamp.type": "LogAppendTime"}


def fresh(kind: str = "events") -> str:
    """A topic name that no other test uses."""
    return f"contract-{uuid4().hex[:12]}.{kind}"


def entries(*values: str) -> list[Entry]:
    return [Entry(b"key", value.encode()) for value in values]


def values(records: Sequence[Record]) -> list[str]:
    return [record.value.decode() for record in records if record.value is not None]


@asynccontextmanager
async def reading(log: Log, *positions: tuple[Place, int]) -> AsyncIterator[Reader]:
    """A reader of these places from these offsets."""
    reader = log.reader()
    for place, offset in positions:
        reader.watch(place, offset)
    try:
        yield reader
    finally:
        await reader.close()


async def read(reader: Reader, count: int) -> list[Record]:
    """The next `count` records, or as many as come soon."""
    records: list[Record] = []
    until = time.monotonic() + SOON
    while len(records) < count and time.monotonic() < until:
        records += await reader.read(1.0)
    return records


async def silent(reader: Reader) -> bool:
    return await reader.read(BRIEF) == []


class Member:
    """Notes what a membership is told; `revoked` may be made to last."""

    def __init__(self) -> None:
        self.owned: frozenset[int] = frozenset()
        self.revoked_total: list[int] = []
        self.changed = asyncio.Condition()

    async def assigned(self, partitions: frozenset[int]) -> None:
        async with self.changed:
            self.owned = partitions
            self.changed.notify_all()

    async def revoked(self, partitions: frozenset[int]) -> None:
        async with self.changed:
            self.owned -= partitions
            self.revoked_total += partitions
            self.changed.notify_all()

    async def owns(self, *partitions: int, within: float = SOON) -> None:
        """Wait until this member owns exactly these."""
        async with asyncio.timeout(within), self.changed:
            await self.changed.wait_for(lambda: self.owned == frozenset(partitions))
