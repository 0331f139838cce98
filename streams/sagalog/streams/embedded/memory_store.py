"""What logs in memory share, as those on a file share the file."""

from collections.abc import Sequence
from itertools import takewhile

from sagalog.schemas.record import Entry, Record
from sagalog.schemas.topics import TopicSpec
from sagalog.streams.embedded.missing import missing_partition, missing_topic
from sagalog.streams.embedded.reader import EmbeddedReader
from sagalog.streams.embedded.retention import retention_ms
from sagalog.streams.log import Place
from sagalog.streams.surroundings import random_token


class MemoryPlace:
    """The records of one place, and the table of its owner."""

    __slots__ = ("_stamped", "epoch", "place", "readers", "records", "start", "table")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.start = 0
        self.records: list[Record] = []
        self.readers: dict[EmbeddedReader, None] = {}
        self.table: dict[bytes, bytes] = {}
        self.epoch = 0
        self._stamped = 0

    @property
    def next(self) -> int:
        """The offset that the next record will get."""
        return self.start + len(self.records)

    def append(self, entries: Sequence[Entry], now: int) -> int:
        """Add records and wake the readers; the first one's offset."""
        (topic, partition), first = self.place, self.next
        self._stamped = stamp = max(now, self._stamped)
        self.records += [
            Record(topic, partition, offset, stamp, *entry)
            for offset, entry in enumerate(entries, first)
        ]
        for reader in self.readers:
            reader.wake()
        return first

    def trim(self, offset: int) -> None:
        """Delete the records below `offset`."""
        if offset > self.start:
            del self.records[: offset - self.start]
            self.start = offset

    def expire(self, older_than: int) -> None:
        """Delete the records stamped before."""
        old = takewhile(lambda record: record.timestamp < older_than, self.records)
        self.trim(self.start + sum(1 for _ in old))


class MemoryStore:
    """Topics, commits and owners; give it to several `MemoryLog`s as to several processes."""

    def __init__(self) -> None:
        self.identity = f"memory:{random_token(16)}"
        self.topics: dict[str, TopicSpec] = {}
        self.commits: dict[str, dict[Place, int]] = {}
        self.owners: dict[str, str] = {}
        self._places: dict[Place, MemoryPlace] = {}

    def create(self, spec: TopicSpec) -> bool:
        """Create a topic, unless it is there; whether it was not."""
        if spec.name in self.topics:
            return False
        self.topics[spec.name] = TopicSpec(spec.name, spec.partitions, dict(spec.settings))
        for partition in range(spec.partitions):
            place = (spec.name, partition)
            self._places[place] = MemoryPlace(place)
        return True

    def spec(self, topic: str) -> TopicSpec:
        """A topic as it was created. Raises TopicMissing."""
        if spec := self.topics.get(topic):
            return spec
        raise missing_topic(topic)

    def place(self, place: Place) -> MemoryPlace:
        """One place. Raises TopicMissing."""
        if found := self._places.get(place):
            return found
        raise missing_partition(self.spec(place[0]), place[1])

    def expire(self, now_ms: int) -> None:
        """Delete what is older than its topic keeps."""
        for place, records in self._places.items():
            keep = retention_ms(self.topics[place[0]])
            if keep is not None:
                records.expire(now_ms - keep)
