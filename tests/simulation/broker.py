"""The simulated broker: what all processes share, and what outlives each of them.

Topics of partitions, each a list of records under the broker's own stamps; commits; tables under
the epoch of their newest owner. It decides nothing late: what arrives is there at once. What is
slow, lost or doubled is the way to it and back (`journeys`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import orjson

from sagalog.engine.position import POSITION_KEY
from sagalog.schemas.record import Entry, Record
from sagalog.schemas.topics import Topics, TopicSpec
from sagalog.streams.errors import TopicMissing
from sagalog.streams.log import Place


class Witness(Protocol):
    """Hears of everything in the moment in which it is there for all."""

    def landed(self, record: Record) -> None:
        """A record is in the log."""
        ...

    def written(self, place: Place, rows: Sequence[Entry]) -> None:
        """A checkpoint is committed."""
        ...

    def committed(self, offsets: Mapping[Place, int]) -> None:
        """Lanes are committed."""
        ...

    def trimmed(self, place: Place, offset: int) -> None:
        """The records below are gone."""
        ...


class Watcher(Protocol):
    """Somebody who fetches from a partition."""

    def news(self) -> None:
        """There is more."""
        ...


class Shelf:
    """One partition of one topic. A place in the list without a record is another's marker."""

    __slots__ = ("epoch", "place", "records", "start", "table", "watchers")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.records: list[Record | None] = []
        self.start = 0
        self.watchers: dict[Watcher, None] = {}
        self.table: dict[bytes, bytes] = {}
        self.epoch = 0

    @property
    def end(self) -> int:
        """The offset of the next record."""
        return len(self.records)

    def between(self, offset: int, end: int) -> list[Record]:
        """The records from `offset` to below `end`."""
        return [record for record in self.records[offset:end] if record is not None]


class Broker:
    """One broker. `clock` is its own, in ms; it never goes back."""

    def __init__(self, clock: Callable[[], int], witness: Witness) -> None:
        self.clock = clock
        self.specs: dict[str, TopicSpec] = {}
        self.commits: dict[str, dict[Place, int]] = {}
        self.shelves: dict[Place, Shelf] = {}
        self._witness = witness

    def create(self, app: str, partitions: int) -> None:
        """The topics of an app."""
        for spec in Topics(app).specs(partitions):
            self.specs[spec.name] = spec
            for number in range(partitions):
                self.shelves[spec.name, number] = Shelf((spec.name, number))

    def spec(self, topic: str) -> TopicSpec:
        """A topic as it is. Raises TopicMissing."""
        if topic not in self.specs:
            raise TopicMissing(f"{topic} is not there: sagalog topics create")
        return self.specs[topic]

    def shelf(self, place: Place) -> Shelf:
        """One partition. Raises TopicMissing."""
        if place not in self.shelves:
            raise TopicMissing(f"{place} is not there: sagalog topics create")
        return self.shelves[place]

    def append(self, place: Place, entries: Sequence[Entry]) -> int:
        """The entries are in the log; the first one's offset."""
        shelf, now = self.shelves[place], self.clock()
        first = shelf.end
        records = [
            Record(*place, first + n, now, entry.key, entry.value, entry.headers)
            for n, entry in enumerate(entries)
        ]
        shelf.records += records
        for record in records:
            self._witness.landed(record)
        for watcher in list(shelf.watchers):
            watcher.news()
        return first

    def position(self, app: str, number: int) -> int:
        """How far the table of a partition goes; -1 where there is none."""
        row = self.shelves[Topics(app).tables, number].table.get(POSITION_KEY)
        return -1 if row is None else int(orjson.loads(row)[0][0])

    def mark(self, place: Place) -> None:
        """A marker of another's transaction takes an offset, and no reader sees it."""
        self.shelves[place].records.append(None)

    def trim(self, place: Place, offset: int) -> None:
        """The records below are gone."""
        shelf = self.shelves[place]
        if offset > shelf.start:
            shelf.start = offset
            self._witness.trimmed(place, offset)

    def commit(self, group: str, offsets: Mapping[Place, int]) -> None:
        """Whoever commits, it counts; also where it goes back."""
        self.commits.setdefault(group, {}).update(offsets)
        self._witness.committed(offsets)

    def fence(self, place: Place) -> int:
        """A new owner of a table: its epoch, under which alone it can be written now."""
        shelf = self.shelves[place]
        shelf.epoch += 1
        return shelf.epoch

    def write(self, place: Place, epoch: int, rows: Sequence[Entry]) -> bool:
        """One transaction; whether the writer was still the owner."""
        shelf = self.shelves[place]
        if epoch != shelf.epoch:
            return False
        for key, value, _ in rows:
            assert key is not None, "a row of a table has a key"
            if value is None:
                shelf.table.pop(key, None)
            else:
                shelf.table[key] = value
        self._witness.written(place, rows)
        return True
