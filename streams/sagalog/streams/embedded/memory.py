"""The log in memory: the same port, nothing durable, nothing random; for tests and simulations."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final

from sagalog.schemas.record import Entry
from sagalog.schemas.topics import TopicSpec
from sagalog.streams.embedded.limits import MAX_RECORD_BYTES, limit_of, measure
from sagalog.streams.embedded.memory_feed import MemoryFeed
from sagalog.streams.embedded.memory_ownership import MemoryCheckpoints, MemoryMembership
from sagalog.streams.embedded.memory_store import MemoryStore
from sagalog.streams.embedded.missing import not_reached
from sagalog.streams.embedded.reader import EmbeddedReader
from sagalog.streams.errors import LogError, LogOwned
from sagalog.streams.log import Assigned, Place, Revoked
from sagalog.streams.surroundings import wall_clock

logger: Final = logging.getLogger(__name__)


class MemoryLog:
    """A `Log` without a file.

    A record is there for readers as soon as `append` is called, and acknowledged in the
    next turn of the event loop. Logs that were given the same store see each other as
    processes on one file do; what stands in the store outlives them.
    """

    def __init__(
        self,
        store: MemoryStore | None = None,
        *,
        max_record_bytes: int = MAX_RECORD_BYTES,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        self.store: Final = store or MemoryStore()
        self._max_record_bytes = max_record_bytes
        self._clock = clock
        self._readers: dict[EmbeddedReader, MemoryFeed] = {}
        self._memberships: list[MemoryMembership] = []

    @property
    def identity(self) -> str:
        """Which log it is, by its store."""
        return self.store.identity

    async def open(self) -> None:
        """Nothing is to be opened."""

    async def close(self) -> None:
        """End all reads and release what is owned."""
        for reader in list(self._readers):
            reader.shut()
        for membership in self._memberships:
            membership.release()

    def append(self, topic: str, partition: int, entries: Sequence[Entry]) -> Awaitable[int]:
        """Append all entries, in order; see `Log.append`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        place = (topic, partition)
        try:
            target = self.store.place(place)
            limit = limit_of(self.store.spec(topic), self._max_record_bytes)
            measure(place, entries, limit)
        except LogError as error:
            logger.error("An append failed: %s", error)
            future.set_exception(error)
            future.exception()  # nobody needs to await it
        else:
            loop.call_soon(settle, future, target.append(entries, self._clock()))
        return future

    def reader(self) -> EmbeddedReader:
        """A new reader that watches nothing yet."""
        feed = MemoryFeed(self.store)
        reader = EmbeddedReader(feed, self._forget)
        feed.attach(reader)
        self._readers[reader] = feed
        return reader

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        return self.store.spec(topic).partitions

    async def largest(self, topic: str) -> int:
        """The most bytes that a record of the topic may have."""
        return limit_of(self.store.spec(topic), self._max_record_bytes)

    async def ends(self, places: Collection[Place]) -> dict[Place, int]:
        """The offset that the next record of each place will get."""
        return {place: self.store.place(place).next for place in places}

    async def starts(self, places: Collection[Place]) -> dict[Place, int]:
        """The first offset that each place still holds."""
        return {place: self.store.place(place).start for place in places}

    async def committed(self, group: str, places: Collection[Place]) -> dict[Place, int]:
        """The group's committed offsets."""
        offsets = self.store.commits.get(group, {})
        return {place: offsets[place] for place in places if place in offsets}

    async def commit(self, group: str, offsets: Mapping[Place, int]) -> None:
        """Commit for a group."""
        for place in offsets:
            self.store.place(place)
        self.store.commits.setdefault(group, {}).update(offsets)

    async def trim(self, offsets: Mapping[Place, int]) -> None:
        """Delete the records of each place below its offset."""
        for place, offset in offsets.items():
            if offset > (following := self.store.place(place).next):
                raise not_reached(place, offset, following)
        for place, offset in offsets.items():
            self.store.place(place).trim(offset)

    async def expire(self, now_ms: int) -> None:
        """Delete what is older than the `retention.ms` of its topic. Nobody else does it."""
        self.store.expire(now_ms)

    async def checkpoints(self, topic: str, partition: int) -> MemoryCheckpoints:
        """Open a partition's table, which fences every older owner's writes to it."""
        return MemoryCheckpoints(self.store.place((topic, partition)))

    async def table(self, topic: str, partition: int) -> dict[bytes, bytes]:
        """A partition's table as its last checkpoint left it; this fences nobody."""
        return dict(self.store.place((topic, partition)).table)

    async def join(
        self, group: str, topic: str, member: str, assigned: Assigned, revoked: Revoked
    ) -> MemoryMembership:
        """Own all partitions of `topic`, or raise LogOwned."""
        partitions = frozenset(range(self.store.spec(topic).partitions))
        if owner := self.store.owners.get(group):
            raise LogOwned(f"The log in memory (group {group}) is owned by {owner}")
        membership = MemoryMembership(self.store, group, member, partitions, revoked)
        self._memberships.append(membership)
        try:
            await assigned(partitions)
        except BaseException:
            membership.release()
            raise
        return membership

    async def owned_by(self, group: str) -> str | None:
        """Who owns a group now."""
        return self.store.owners.get(group)

    async def create(self, specs: Sequence[TopicSpec]) -> list[str]:
        """Create the topics that are missing; the names of those created."""
        return [spec.name for spec in specs if self.store.create(spec)]

    async def describe(self, topics: Collection[str]) -> dict[str, TopicSpec]:
        """The topics as they were created; missing ones are absent."""
        return {topic: self.store.topics[topic] for topic in topics if topic in self.store.topics}

    def _forget(self, reader: EmbeddedReader) -> None:
        self._readers.pop(reader).detach()


def settle(future: "asyncio.Future[int]", offset: int) -> None:
    """Tell the waiter, if there still is one."""
    if not future.done():
        future.set_result(offset)
