"""The log as a process sees it that may die: a dead one is not heard any more."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sagalog.schemas.record import Entry, Record
from sagalog.streams.embedded import MemoryLog, MemoryStore
from sagalog.streams.embedded.memory_ownership import MemoryCheckpoints
from sagalog.streams.embedded.memory_store import MemoryPlace
from sagalog.streams.errors import TopicMissing
from sagalog.streams.log import Place
from sagalog.streams.surroundings import Clock
from sagalog.streams.testing.boundaries import Moment
from sagalog.streams.testing.loop import Process

Writing = Callable[[str, int, Sequence[Entry]], Moment | None]
"""Called with what is about to be written; when its process is to die of it, if it is."""


Wrote = Callable[[Place, Sequence[Entry]], None]
"""Called with the rows of a checkpoint that stands in the log from now on."""

Landed = Callable[[Record], None]
"""Called with each record that stands in the log from now on."""


class Life:
    """Whether a process lives, and when it is to die. `die` kills it.

    `wrote` hears of its checkpoints.
    """

    def __init__(
        self, process: Process, writing: Writing, wrote: Wrote, die: Callable[[], None]
    ) -> None:
        self._process, self._writing, self._die = process, writing, die
        self.wrote = wrote

    @property
    def alive(self) -> bool:
        """Whether what it does is heard."""
        return self._process.alive

    def before(self, topic: str, partition: int, entries: Sequence[Entry]) -> Moment | None:
        """It is about to write; "before" where it does not get that far."""
        if not self.alive:
            return "before"
        moment = self._writing(topic, partition, entries)
        if moment == "before":
            self._die()
        return moment

    def after(self, moment: Moment | None) -> bool:
        """What it wrote has landed; whether it lives to hear of it."""
        if moment == "unheard":
            self._die()
        return self.alive

    def heard(self, moment: Moment | None) -> None:
        """It has heard that what it wrote has landed."""
        if moment == "after":
            asyncio.get_running_loop().call_soon(self._die)


class RecordingLog(MemoryLog):
    """A `MemoryLog` that tells `landed` of each record, in their order over all topics."""

    def __init__(self, store: MemoryStore, clock: Clock, landed: Landed) -> None:
        super().__init__(store, clock=clock)
        self._landed = landed

    def append(self, topic: str, partition: int, entries: Sequence[Entry]) -> Awaitable[int]:
        """Append all entries, in order; see `Log.append`."""
        try:
            place = self.store.place((topic, partition))
        except TopicMissing:
            return super().append(topic, partition, entries)
        before = place.next
        future = super().append(topic, partition, entries)
        for record in place.records[before - place.start :]:
            self._landed(record)
        return future


class MortalLog(RecordingLog):
    """The log of a process that may die."""

    def __init__(self, store: MemoryStore, clock: Clock, landed: Landed, life: Life) -> None:
        super().__init__(store, clock, landed)
        self._life = life

    def append(self, topic: str, partition: int, entries: Sequence[Entry]) -> Awaitable[int]:
        """Append all entries, in order; see `Log.append`."""
        moment = self._life.before(topic, partition, entries)
        if moment == "before":
            return _never()
        future = asyncio.ensure_future(super().append(topic, partition, entries))
        if not self._life.after(moment):
            return _never()
        future.add_done_callback(lambda _: self._life.heard(moment))
        return future

    async def commit(self, group: str, offsets: Mapping[Place, int]) -> None:
        """Commit for a group."""
        if self._life.alive:
            await super().commit(group, offsets)

    async def trim(self, offsets: Mapping[Place, int]) -> None:
        """Delete the records of each place below its offset."""
        if self._life.alive:
            await super().trim(offsets)

    async def checkpoints(self, topic: str, partition: int) -> MemoryCheckpoints:
        """Open a partition's table, which fences every older owner's writes to it."""
        return _MortalCheckpoints(self.store.place((topic, partition)), self._life)


class _MortalCheckpoints(MemoryCheckpoints):
    def __init__(self, place: MemoryPlace, life: Life) -> None:
        super().__init__(place)
        self._life = life

    async def write(self, rows: Sequence[Entry]) -> None:
        moment = self._life.before(*self._place.place, rows)
        if moment != "before":
            await super().write(rows)
            self._life.wrote(self._place.place, rows)
            self._life.after(moment)
        if not self._life.alive:
            await _never()
        self._life.heard(moment)


def _never() -> "asyncio.Future[Any]":
    return asyncio.get_running_loop().create_future()
