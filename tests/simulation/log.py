"""The port `Log`, simulated: one process's view of the broker, by its own connections."""

import os
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from sagalog.schemas.record import Entry
from sagalog.schemas.topics import TopicSpec
from sagalog.streams.log import Assigned, Place, Revoked
from tests.simulation.broker import Broker
from tests.simulation.group import Group
from tests.simulation.journeys import Line
from tests.simulation.membership import SimulatedMembership
from tests.simulation.outbox import Outbox
from tests.simulation.reader import SimulatedReader
from tests.simulation.tables import SimulatedCheckpoints


class SimulatedLog:
    """A `Log` in one process's hands. What outlives the process is the broker's."""

    def __init__(
        self, broker: Broker, line: Line, groups: Mapping[str, Group], largest: Callable[[str], int]
    ) -> None:
        self.readers: list[SimulatedReader] = []
        self.membership: SimulatedMembership | None = None
        self._broker, self._line, self._groups = broker, line, groups
        self._largest = largest
        self._outbox = Outbox(broker, line, largest)

    @property
    def identity(self) -> str:
        """Which log it is, by its broker; no process outside has it."""
        return f"simulated:{os.getpid()}:{id(self._broker)}"

    async def open(self) -> None:
        """Nothing is to be opened."""

    async def close(self) -> None:
        """Nothing is held."""

    def fall_silent(self) -> None:
        """The process has died: what it sent may arrive, and nothing else."""
        self._line.fall_silent()
        for reader in self.readers:
            reader.fall_silent()

    def append(self, topic: str, partition: int, entries: Sequence[Entry]) -> Awaitable[int]:
        """Append all entries, in order."""
        return self._outbox.append((topic, partition), entries)

    def reader(self) -> SimulatedReader:
        """A new reader that watches nothing yet."""
        reader = SimulatedReader(self._broker, self._line)
        self.readers.append(reader)
        return reader

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        return await self._line.ask(lambda: self._broker.spec(topic).partitions)

    async def largest(self, topic: str) -> int:
        """The most bytes that a record of the topic may have."""
        return await self._line.ask(lambda: self._largest(topic))

    async def ends(self, places: Collection[Place]) -> dict[Place, int]:
        """The offset that the next record of each place will get."""
        return await self._line.ask(lambda: {p: self._broker.shelf(p).end for p in places})

    async def starts(self, places: Collection[Place]) -> dict[Place, int]:
        """The first offset that each place still holds."""
        return await self._line.ask(lambda: {p: self._broker.shelf(p).start for p in places})

    async def committed(self, group: str, places: Collection[Place]) -> dict[Place, int]:
        """The group's committed offsets."""

        def look() -> dict[Place, int]:
            known = self._broker.commits.get(group, {})
            return {place: known[place] for place in places if place in known}

        return await self._line.ask(look)

    async def commit(self, group: str, offsets: Mapping[Place, int]) -> None:
        """Commit for a group that has no members."""
        said = dict(offsets)
        await self._line.ask(
            lambda: self._broker.commit(group, said), before="checkpoint-then-lanes-uncommitted"
        )

    async def trim(self, offsets: Mapping[Place, int]) -> None:
        """Delete the records of each place below its offset."""

        def cut() -> None:
            for place, offset in offsets.items():
                self._broker.trim(place, offset)

        await self._line.ask(cut)

    async def checkpoints(self, topic: str, partition: int) -> SimulatedCheckpoints:
        """Open a partition's table, which fences every older owner's writes to it."""
        place = (topic, partition)
        epoch = await self._line.ask(lambda: self._broker.fence(place))
        return SimulatedCheckpoints(self._broker, self._line, place, epoch)

    async def table(self, topic: str, partition: int) -> dict[bytes, bytes]:
        """A partition's table as it was last committed; fences nobody."""
        place = (topic, partition)
        return await self._line.ask(lambda: dict(self._broker.shelf(place).table))

    async def join(
        self, group: str, topic: str, member: str, assigned: Assigned, revoked: Revoked
    ) -> SimulatedMembership:
        """Join the group that shares the partitions of `topic`."""
        await self._line.ask(lambda: self._broker.spec(topic))
        made = SimulatedMembership(self._groups[group], self._line, member, assigned, revoked)
        self.membership = made
        made.start()
        return made

    async def create(self, specs: Sequence[TopicSpec]) -> list[str]:
        """Create the topics that are missing."""
        return await self._line.ask(lambda: self._broker.create(specs))

    async def describe(self, topics: Collection[str]) -> dict[str, TopicSpec]:
        """The topics as they are."""
        return {topic: self._broker.specs[topic] for topic in topics if topic in self._broker.specs}
