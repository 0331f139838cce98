"""What waits in an app's lanes, read from the log by anybody: how much, and since when."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass

from sagalog.schemas.record import Record
from sagalog.schemas.topics import LANES, Topics
from sagalog.streams.history import PATIENCE, scan
from sagalog.streams.log import Log, Place
from sagalog.streams.owner import lanes_group


@dataclass(frozen=True, slots=True)
class Backlog:
    """One lane at one moment, partition by partition: what is done, and where it ends."""

    lane: str
    done: Mapping[Place, int]
    ends: Mapping[Place, int]

    @property
    def depth(self) -> int:
        """How many requests are not done: unread, or under way to their first fact."""
        return self.written - self.taken

    @property
    def written(self) -> int:
        """The sum of the ends: what it grows by has come in."""
        return sum(self.ends.values())

    @property
    def taken(self) -> int:
        """The sum of the committed offsets: what it grows by has gone out."""
        return sum(self.done.values())

    @property
    def waiting(self) -> dict[Place, tuple[int, int]]:
        """Where requests wait: from the first that is not done up to the end."""
        spans = {place: (done, self.ends[place]) for place, done in self.done.items()}
        return {place: span for place, span in spans.items() if span[0] < span[1]}


async def read_backlogs(
    log: Log, app: str, partitions: int, lanes: Collection[str] = LANES
) -> dict[str, Backlog]:
    """The backlog of each lane. Offsets only: no record is read.

    What was trimmed, or lies below a lane's start for another reason, counts as done.
    """
    topics = Topics(app)
    places = [(topics.lane(lane), number) for lane in lanes for number in range(partitions)]
    committed = await log.committed(lanes_group(app), places)
    starts, ends = await log.starts(places), await log.ends(places)
    done = {
        place: min(max(committed.get(place, 0), starts[place]), ends[place]) for place in places
    }
    return {
        lane: Backlog(
            lane,
            {place: done[place] for place in places if place[0] == topics.lane(lane)},
            {place: ends[place] for place in places if place[0] == topics.lane(lane)},
        )
        for lane in lanes
    }


async def oldest(log: Log, backlogs: Collection[Backlog]) -> dict[str, int]:
    """When the oldest request that is not done was appended (ms), of each lane that has one.

    By the log's own stamp: a request that came to another partition waits anew from the
    moment at which it was forwarded to its own.
    """
    waiting = {place: lane.lane for lane in backlogs for place in lane.waiting}
    places = {place: span for lane in backlogs for place, span in lane.waiting.items()}
    since: dict[str, int] = {}
    async for record in firsts(log, places):
        lane = waiting[record.topic, record.partition]
        since[lane] = min(record.timestamp, since.get(lane, record.timestamp))
    return since


async def firsts(log: Log, places: Mapping[Place, tuple[int, int]]) -> AsyncIterator[Record]:
    """The first record of each place that it holds from an offset on."""
    left, silent = set(places), 0
    reader = log.reader()
    try:
        for place in places:
            reader.watch(place, places[place][0])
        while left and silent < PATIENCE:
            records = await reader.read(1.0)
            silent = 0 if records else silent + 1
            for record in records:
                place = (record.topic, record.partition)
                if place in left:
                    left.discard(place)
                    reader.drop(place)
                    yield record
    finally:
        await reader.close()


async def peek(
    log: Log, backlogs: Collection[Backlog], most: int | None = None
) -> AsyncIterator[Record]:
    """What waits, from the front of each partition; at most about `most` of it in all."""
    spans = {place: span for lane in backlogs for place, span in lane.waiting.items()}
    if not spans:
        return
    if most is not None:
        share = max(1, most // len(spans))
        spans = {place: (start, min(end, start + share)) for place, (start, end) in spans.items()}
    async for record in scan(log, spans):
        yield record
