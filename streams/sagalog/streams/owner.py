"""One partition in this pod's hands: taking it, its checkpoints, and giving it up."""

import asyncio

from sagalog.engine.app import App
from sagalog.engine.partition import Partition
from sagalog.engine.writer import LARGEST
from sagalog.schemas.topics import DAY, LANES, Topics
from sagalog.streams.log import Checkpoints, Log, Place
from sagalog.streams.logs import logger
from sagalog.streams.surroundings import Clock

log = logger(__name__)


def lanes_group(app: str) -> str:
    """The group under which owners commit lane offsets; it has no members (DESIGN, 5)."""
    return f"{app}.lanes"


class Owner:
    """Takes one partition and keeps its table. The pod's loop feeds it and does its effects."""

    def __init__(
        self,
        app: App,
        log: Log,
        number: int,
        partitions: int,
        clock: Clock,
        *,
        nonce: str,
        largest: int = LARGEST,
    ) -> None:
        self.number = number
        self.processor = Partition(app, number, partitions, nonce, largest=largest)
        self.lanes: dict[Place, int] = {}
        self.closed_lanes: frozenset[str] = frozenset()
        self.start = 0
        topics = Topics(app.name)
        own = (topics.events, topics.deadletters, *topics.lanes)
        self.places: frozenset[Place] = frozenset((topic, number) for topic in own)
        self._log, self._topics, self._clock = log, Topics(app.name), clock
        self._table: Checkpoints | None = None
        self._committed: dict[Place, int] = {}
        self._committed_at = clock()
        self._written = -1
        self._writing = asyncio.Lock()

    @property
    def events(self) -> Place:
        """Where this partition's facts stand."""
        return self._topics.events, self.number

    async def take(self) -> None:
        """Fence older owners, restore the table, and announce this owner (rule 1).

        Raises Impossible where checkpoint and log do not fit.
        """
        self._table = await self._log.checkpoints(self._topics.tables, self.number)
        rows = await self._table.restore()
        starts = await self._log.starts([self.events])
        ends = await self._log.ends([self.events])
        self.start = self.processor.restore(rows, starts[self.events], ends[self.events])
        await self._open_lanes()
        self.processor.take(self._clock())

    async def _open_lanes(self) -> None:
        places = {(self._topics.lane(lane), self.number): lane for lane in LANES}
        committed = await self._log.committed(lanes_group(self._topics.app), list(places))
        starts = await self._log.starts(list(places))
        known = {
            lane: max(committed.get(place, 0), starts[place]) for place, lane in places.items()
        }
        opened = self.processor.lanes(known)
        self.lanes = {place: opened[lane] for place, lane in places.items()}

    async def checkpoint(self) -> None:
        """Write what changed, and commit the lanes. Raises Fenced once another has taken it.

        None is written while the dead letter of a fact below it is not durable: whoever went
        on from there would never meet that fact again.
        Lanes are committed only behind a write that was not fenced: Kafka takes a commit by
        hand from anybody, and a former owner's would move the offsets back.
        """
        async with self._writing:
            position, lanes = self.processor.position, self._moved()
            if self.processor.phase != "acting" or (position == self._written and not lanes):
                return
            if self.processor.unlettered:
                return
            assert self._table is not None, "a checkpoint before the take"
            await self._table.write(self.processor.checkpoint())
            self._written = position
            if lanes and self.processor.phase == "acting":
                await self._log.commit(lanes_group(self._topics.app), lanes)
                self._committed.update(lanes)
                self._committed_at = self._clock()

    def _moved(self) -> dict[Place, int]:
        low = self.processor.commits()
        offsets = {(self._topics.lane(lane), self.number): offset for lane, offset in low.items()}
        if self._clock() - self._committed_at > DAY:
            return offsets  # Kafka forgets the offsets of a group without members in a week
        return {p: o for p, o in offsets.items() if o > self._committed.get(p, 0)}

    async def poll_lanes(self) -> None:
        """Tell the processor how far the lanes go, so that it knows what it may forget."""
        time = self.processor.time
        ends = await self._log.ends(list(self.lanes))
        lanes = {topic.rpartition(".")[2]: end for (topic, _), end in ends.items()}
        self.processor.horizon.polled(lanes, time)

    async def trim(self) -> None:
        """Delete the lanes' records that were done a week ago."""
        offsets = self.processor.trimming.trimmable(self.processor.time)
        places = {(self._topics.lane(lane), self.number): at for lane, at in offsets.items() if at}
        if places:
            await self._log.trim(places)

    async def close(self) -> None:
        """Release the table; writes no more."""
        if self._table is not None:
            await self._table.close()
