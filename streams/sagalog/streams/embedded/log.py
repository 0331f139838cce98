"""The log in one SQLite file."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from sagalog.schemas.record import Entry
from sagalog.schemas.topics import TopicSpec
from sagalog.streams.embedded.catalogue import add_topics
from sagalog.streams.embedded.checkpoints import GET_ALL, FileCheckpoints, next_epoch
from sagalog.streams.embedded.commits import get_commits, put_commits
from sagalog.streams.embedded.file import LogFile
from sagalog.streams.embedded.limits import MAX_RECORD_BYTES, limit_of, measure
from sagalog.streams.embedded.ownership import FileMembership, OwnerLock
from sagalog.streams.embedded.reader import EmbeddedReader
from sagalog.streams.embedded.requests import Append
from sagalog.streams.embedded.session import Session
from sagalog.streams.errors import LogError, LogUnavailable
from sagalog.streams.log import Assigned, Place, Revoked
from sagalog.streams.surroundings import wall_clock

logger: Final = logging.getLogger(__name__)


class EmbeddedLog:
    """A `Log` in one file on a local disk, for the processes of one machine.

    Any process may append and read at any time; one at a time owns a group (`join`). With
    `fsync` an append is acknowledged, and visible to anyone, once it is on the disk;
    without, a loss of power may take the last of it, a killed process never does.
    `lock_timeout` is in seconds: how long to wait for another process that writes.
    `clock` stamps the records, in milliseconds since the epoch.

    It belongs to the event loop that opened it. After a fork the child must open its own.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        fsync: bool = True,
        max_record_bytes: int = MAX_RECORD_BYTES,
        lock_timeout: float = 10.0,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        if os.fspath(path) == ":memory:":
            raise ValueError("A log in memory is a MemoryLog")
        self.path: Final = Path(path).absolute()
        self._file = LogFile(self.path, fsync=fsync, lock_timeout=lock_timeout)
        self._max_record_bytes = max_record_bytes
        self._lock_timeout = lock_timeout
        self._clock = clock
        self._session: Session | None = None
        self._locks: list[OwnerLock] = []

    @property
    def identity(self) -> str:
        """Which log it is, by its file."""
        return f"sqlite:{self.path.resolve()}"

    async def open(self) -> None:
        """Open the file, and make it where there is none."""
        await asyncio.to_thread(self._file.prepare)
        self._session = Session(self._file, self._clock, lock_timeout=self._lock_timeout)

    async def close(self) -> None:
        """Commit what was appended, release what is owned, close the file."""
        session, self._session = self._session, None
        if session:
            await session.close()
        for lock in self._locks:
            lock.release()

    def append(self, topic: str, partition: int, entries: Sequence[Entry]) -> Awaitable[int]:
        """Append all entries, in order; see `Log.append`."""
        future = asyncio.get_running_loop().create_future()
        place = (topic, partition)
        try:
            session = self._opened()
            number = session.catalogue.number(place)
            limit = limit_of(session.catalogue.spec(topic), self._max_record_bytes)
            size = measure(place, entries, limit)
        except LogError as error:
            logger.error("An append failed: %s", error)
            future.set_exception(error)
            future.exception()  # nobody needs to await it
        else:
            session.writer.append(Append(place, number, tuple(entries), size, future))
        return future

    def reader(self) -> EmbeddedReader:
        """A new reader that watches nothing yet."""
        return self._opened().reader()

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        return self._opened().catalogue.spec(topic).partitions

    async def largest(self, topic: str) -> int:
        """The most bytes that a record of the topic may have."""
        return limit_of(self._opened().catalogue.spec(topic), self._max_record_bytes)

    async def ends(self, places: Collection[Place]) -> dict[Place, int]:
        """The offset that the next record of each place will get."""
        session = self._opened()
        bounds = session.rows.bounds()
        return {place: bounds[session.catalogue.number(place)].next for place in places}

    async def starts(self, places: Collection[Place]) -> dict[Place, int]:
        """The first offset that each place still holds."""
        session = self._opened()
        bounds = session.rows.bounds()
        return {place: bounds[session.catalogue.number(place)].start for place in places}

    async def committed(self, group: str, places: Collection[Place]) -> dict[Place, int]:
        """The group's committed offsets."""
        session = self._opened()
        offsets = get_commits(session.rows, group)
        numbers = {place: session.catalogue.number(place) for place in places}
        return {place: offsets[n] for place, n in numbers.items() if n in offsets}

    async def commit(self, group: str, offsets: Mapping[Place, int]) -> None:
        """Commit for a group."""
        session = self._opened()
        numbered = {session.catalogue.number(place): at for place, at in offsets.items()}
        await session.writer.run(lambda connection: put_commits(connection, group, numbered))

    async def trim(self, offsets: Mapping[Place, int]) -> None:
        """Delete the records of each place below its offset."""
        await self._opened().retention.trim(offsets)

    async def expire(self, now_ms: int) -> None:
        """Delete what is older than the `retention.ms` of its topic, where that is not -1.

        An opened log does this itself once a minute.
        """
        await self._opened().retention.expire(now_ms)

    async def checkpoints(self, topic: str, partition: int) -> FileCheckpoints:
        """Open a partition's table, which fences every older owner's writes to it."""
        session = self._opened()
        place = (topic, partition)
        number = session.catalogue.number(place)
        epoch = await session.writer.run(lambda connection: next_epoch(connection, number))
        return FileCheckpoints(place, number, epoch, session.writer, session.rows)

    async def table(self, topic: str, partition: int) -> dict[bytes, bytes]:
        """A partition's table as its last checkpoint left it; this fences nobody."""
        session = self._opened()
        return dict(session.rows.select(GET_ALL, (session.catalogue.number((topic, partition)),)))

    async def join(
        self, group: str, topic: str, member: str, assigned: Assigned, revoked: Revoked
    ) -> FileMembership:
        """Own all partitions of `topic`, or raise LogOwned."""
        partitions = frozenset(range(await self.partitions(topic)))
        lock = OwnerLock(self.path, group)
        await lock.acquire(member)
        self._locks.append(lock)
        try:
            await assigned(partitions)
        except BaseException:
            lock.release()
            raise
        return FileMembership(lock, partitions, revoked)

    async def owned_by(self, group: str) -> str | None:
        """Who owns a group now: process, member, host and since when."""
        return OwnerLock(self.path, group).holder()

    async def create(self, specs: Sequence[TopicSpec]) -> list[str]:
        """Create the topics that are missing; the names of those created."""
        return await self._opened().writer.run(lambda connection: add_topics(connection, specs))

    async def describe(self, topics: Collection[str]) -> dict[str, TopicSpec]:
        """The topics as they were created; missing ones are absent."""
        catalogue = self._opened().catalogue
        found = {topic: catalogue.find(topic) for topic in topics}
        return {topic: spec for topic, spec in found.items() if spec}

    def _opened(self) -> Session:
        session = self._session
        if session is None:
            raise LogUnavailable(f"{self.path} is not open in this process")
        if session.pid != os.getpid():
            message = f"{self.path} was opened by pid {session.pid}, before this fork"
            raise LogUnavailable(f"{message}. Open the log anew in this process")
        return session
