"""Kafka as a `Log`."""

from collections.abc import Awaitable, Collection, Mapping, Sequence

from sagalog.schemas.record import Entry
from sagalog.schemas.topics import TopicSpec
from sagalog.streams.kafka import checkpoints
from sagalog.streams.kafka import topics as administration
from sagalog.streams.kafka.checkpoints import KafkaCheckpoints
from sagalog.streams.kafka.cluster import Cluster
from sagalog.streams.kafka.group import Member
from sagalog.streams.kafka.membership import KafkaMembership
from sagalog.streams.kafka.offsets import EARLIEST, LATEST, Offsets
from sagalog.streams.kafka.outbox import Outbox
from sagalog.streams.kafka.reader import KafkaReader
from sagalog.streams.kafka.restore import decided, newest
from sagalog.streams.kafka.retry import persist
from sagalog.streams.kafka.settings import KafkaSettings
from sagalog.streams.log import Assigned, Place, Revoked
from sagalog.streams.surroundings import random_token

_USUAL_LIMIT = 1_048_588  # Kafka's own default of max.message.bytes


class KafkaLog:
    """A `Log` on Kafka 2.5 or newer. To be made and used within one event loop."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._servers = settings.bootstrap_servers
        self._cluster = Cluster(settings)
        self._outbox = Outbox(self._cluster)
        self._offsets = Offsets(self._cluster)

    @property
    def identity(self) -> str:
        """Which log it is, by the servers that it was given, in any order."""
        return "kafka:" + ",".join(sorted({server.strip().lower() for server in self._servers}))

    async def open(self) -> None:
        """Connect. Raises LogUnavailable once `open_timeout` has passed in vain."""
        await self._cluster.open()

    async def close(self) -> None:
        """Send what was appended, and disconnect. Readers and memberships are closed before."""
        await self._outbox.close()
        await self._cluster.close()

    def append(self, topic: str, partition: int, entries: Sequence[Entry]) -> Awaitable[int]:
        """Append all entries, in order; the result is the first one's offset.

        While the brokers are away appends wait, and are repeated until they are answered.
        """
        return self._outbox.append((topic, partition), entries)

    def reader(self) -> KafkaReader:
        """A new reader that watches nothing yet."""
        return KafkaReader(self._cluster)

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises TopicMissing."""
        return len(await self._topic(topic))

    async def largest(self, topic: str) -> int:
        """The most bytes that a record of the topic may have, as the brokers say."""
        described = await self.describe([topic])
        known = described[topic].settings.get("max.message.bytes") if topic in described else None
        return int(known) if known else _USUAL_LIMIT

    async def ends(self, places: Collection[Place]) -> dict[Place, int]:
        """The offset that the next record of each place will get."""
        return await self._offsets.find(places, LATEST)

    async def starts(self, places: Collection[Place]) -> dict[Place, int]:
        """The first offset that each place still holds."""
        return await self._offsets.find(places, EARLIEST)

    async def committed(self, group: str, places: Collection[Place]) -> dict[Place, int]:
        """The group's committed offsets; a place that has none is absent."""
        return await self._offsets.committed(group, places)

    async def commit(self, group: str, offsets: Mapping[Place, int]) -> None:
        """Commit for a group that has no members; brokers forget it after 7 quiet days."""
        await self._offsets.commit(group, offsets)

    async def trim(self, offsets: Mapping[Place, int]) -> None:
        """Delete the records of each place below its offset."""
        await self._offsets.trim(offsets)

    async def checkpoints(self, topic: str, partition: int) -> KafkaCheckpoints:
        """Open a partition's table, which fences every older owner's writes to it."""
        return await checkpoints.take(self._cluster, (topic, partition))

    async def table(self, topic: str, partition: int) -> dict[bytes, bytes]:
        """A partition's table as its last checkpoint left it; this fences nobody."""
        await self._topic(topic)
        place = topic, partition
        return await newest(self._cluster, place, await decided(self._cluster, place))

    async def join(
        self, group: str, topic: str, member: str, assigned: Assigned, revoked: Revoked
    ) -> KafkaMembership:
        """Join the group; an empty `member` joins without a stable name."""
        await self._topic(topic)
        name = Member(group, member or None, random_token(8))
        membership = KafkaMembership(self._cluster, topic, name, assigned, revoked)
        await membership.start()
        return membership

    async def _topic(self, name: str) -> frozenset[int]:
        return await persist(
            lambda: self._cluster.topic(name),
            timeout=self._cluster.settings.open_timeout,
            doing=f"looking for topic {name}",
        )

    async def create(self, specs: Sequence[TopicSpec]) -> list[str]:
        """Create the topics that are missing; three copies where there are three brokers."""
        return await administration.create(self._cluster, specs)

    async def describe(self, topics: Collection[str]) -> dict[str, TopicSpec]:
        """The topics as they are, with all their settings; missing ones are absent."""
        return await administration.describe(self._cluster, topics)
