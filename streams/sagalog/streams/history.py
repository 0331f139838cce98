"""The past of an app's instances, read back from its log by anybody.

A reader is no owner: it fences nobody and writes nothing. It folds the facts by the rule
that the owners fold by, and so agrees with them.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from typing import NamedTuple

from sagalog.engine.evolve import Here, evolve
from sagalog.engine.instance import NOTHING, UNREADABLE, Instance
from sagalog.schemas.codec import decode
from sagalog.schemas.envelope import Envelope, Unknown
from sagalog.schemas.facts import Forgotten, Taken
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Record
from sagalog.schemas.topics import Topics
from sagalog.streams.log import Log, Place
from sagalog.streams.logs import logger

log_ = logger(__name__)

Progress = Callable[[int, int], None]
"""Called with how many records have been read, and of how many."""

PATIENCE = 3
"""Seconds without a record after which the rest of a place counts as a gap: a log may end
with the marks of others' transactions, which are no records.
"""

_CONTEXT = b"sagalog.partition.taken.", b"sagalog.forgotten."


class Listed(NamedTuple):
    """An instance that the app holds, and the partition that it lives in."""

    id: str
    partition: int
    state: Instance


class Follower:
    """Folds one partition's facts by the rule that its owner folds by; `only` some instances.

    With `lean` the ended ones keep no result, which no fold depends on.
    """

    def __init__(self, only: frozenset[bytes] | None = None, *, lean: bool = False) -> None:
        self.states: dict[str, Instance] = {}
        self._only, self._lean = only, lean
        self._taken = -1
        self._low: dict[str, int] = {}

    def fold(self, record: Record) -> bool:
        """Fold one fact, in the order of offsets; whether it changed an instance."""
        own = self._only is None or record.key in self._only
        if not own and not any(kind in (record.value or b"") for kind in _CONTEXT):
            return False
        message = decode(record.value)
        if isinstance(message, Unknown):
            return own and _placed(message, record) and self._park(message, record)
        if not isinstance(message, Envelope):
            return False
        if isinstance(message.data, Taken):
            self._taken = record.offset
            return False
        changed = own and _placed(message, record) and self._evolve(message, record)
        if isinstance(message.data, Forgotten):
            for lane, offset in message.data.low.items():
                self._low[lane] = max(offset, self._low.get(lane, 0))
        return changed

    def _evolve(self, message: Envelope, record: Record) -> bool:
        before = self.states.get(message.subject)
        here = Here(record.offset, record.timestamp, self._taken, self._low)
        after = evolve(before, message.data, here)
        if after is before:
            return False
        if after is None:
            del self.states[message.subject]
        elif self._lean and after.ended:
            self.states[message.subject] = after._replace(result=None)
        else:
            self.states[message.subject] = after
        return True

    def _park(self, message: Unknown, record: Record) -> bool:
        """What this code cannot read parks the instance at that offset (rule 14)."""
        instance = message.subject
        state = self.states.get(instance)
        if state is None:
            state = Instance("", "running", UNREADABLE, NOTHING, "", 0, record.timestamp)
        elif state.unreadable >= 0:
            return False
        self.states[instance] = state._replace(unreadable=record.offset)
        return True


def _placed(message: Envelope | Unknown, record: Record) -> bool:
    """Whether a fact is about an instance, and stands under its id."""
    return record.key == message.subject.encode() and not message.subject.startswith("~")


async def scan(
    log: Log, ranges: Mapping[Place, tuple[int, int]], progress: Progress | None = None
) -> AsyncIterator[Record]:
    """The records of each place from its first offset up to (without) its second one.

    Per place in offset order. Raises LogUnavailable where the log cannot be reached.
    """
    left = {place: end for place, (start, end) in ranges.items() if start < end}
    total, read, silent = sum(end - start for start, end in ranges.values()), 0, 0
    reader = log.reader()
    try:
        for place in left:
            reader.watch(place, ranges[place][0])
        while left:
            records = await reader.read(1.0)
            silent = 0 if records else silent + 1
            if silent >= PATIENCE:
                await log.ends(left)
                log_.warning("the end of a log yields no records", places=list(left))
                return
            for record in records:
                place = (record.topic, record.partition)
                if record.offset < left.get(place, 0):
                    yield record
                if record.offset + 1 >= left.get(place, record.offset + 2):
                    reader.drop(place)
                    del left[place]
            read += len(records)
            if progress is not None:
                progress(min(read, total), total)
    finally:
        await reader.close()


async def bounds(log: Log, places: Collection[Place]) -> dict[Place, tuple[int, int]]:
    """From where to where each place holds records now."""
    starts, ends = await log.starts(places), await log.ends(places)
    return {place: (starts[place], ends[place]) for place in places}


class States:
    """What an app holds, kept up to date: each `read` folds only what is new since the last."""

    def __init__(self, log: Log, app: str) -> None:
        self._log, self._events = log, Topics(app).events
        self._followers: dict[int, Follower] = {}
        self._read: dict[Place, int] = {}

    async def partitions(self) -> int:
        """How many partitions the app has. Raises TopicMissing."""
        if not self._followers:
            count = await self._log.partitions(self._events)
            self._followers = {number: Follower(lean=True) for number in range(count)}
        return len(self._followers)

    async def read(self, progress: Progress | None = None) -> None:
        """Fold up to where the events end now. Raises TopicMissing."""
        places = [(self._events, number) for number in range(await self.partitions())]
        now, read = await bounds(self._log, places), self._read
        ranges = {place: (max(at, read.get(place, 0)), end) for place, (at, end) in now.items()}
        async for record in scan(self._log, ranges, progress):
            self._followers[record.partition].fold(record)
        self._read = {place: end for place, (_, end) in ranges.items()}

    def all(self) -> Iterator[Listed]:
        """Every instance, as it stood at the last `read`."""
        for number, follower in self._followers.items():
            for instance, state in follower.states.items():
                yield Listed(instance, number, state)

    def get(self, instance: str) -> Listed | None:
        """One instance; None where the app holds none of this id."""
        number = partition_of(instance.encode(), max(1, len(self._followers)))
        follower = self._followers.get(number)
        state = follower.states.get(instance) if follower else None
        return Listed(instance, number, state) if state else None


async def read_states(
    log: Log, app: str, instances: Collection[str] | None = None, progress: Progress | None = None
) -> list[Listed]:
    """The instances that the app holds now: live ones, and ended ones until they are forgotten.

    `instances` bounds it to some. Raises TopicMissing where the log has no such app.
    """
    topic = Topics(app).events
    partitions = await log.partitions(topic)
    only = None if instances is None else frozenset(instance.encode() for instance in instances)
    numbers = set(range(partitions))
    if only is not None:
        numbers = {partition_of(key, partitions) for key in only}
    followers = {number: Follower(only, lean=only is None) for number in numbers}
    ranges = await bounds(log, [(topic, number) for number in numbers])
    async for record in scan(log, ranges, progress):
        followers[record.partition].fold(record)
    return [
        Listed(instance, number, state)
        for number in sorted(numbers)
        for instance, state in followers[number].states.items()
    ]
