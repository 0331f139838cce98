"""The story of one instance: each of its facts, and the state that it led to."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple

from sagalog.engine.instance import ENDED, Instance, StepState
from sagalog.schemas.codec import decode
from sagalog.schemas.envelope import Decoded, Envelope
from sagalog.schemas.facts import Started, Taken
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Record
from sagalog.schemas.requests import Start
from sagalog.schemas.topics import Topics
from sagalog.streams.history import Follower, Progress, bounds, scan
from sagalog.streams.log import Log
from sagalog.streams.owner import lanes_group


class Moment(NamedTuple):
    """One fact, and the instance's state after it. `time` in ms, as the log stamped it.

    `counted` is false where the fold ignored it: a repeat, a zombie's, a late one.
    """

    offset: int
    time: int
    message: Decoded
    state: Instance | None
    counted: bool


class Queued(NamedTuple):
    """A request that waits in a lane; `ahead` is how many stand before it."""

    lane: str
    partition: int
    offset: int
    message: Envelope
    ahead: int


@dataclass(frozen=True, slots=True)
class Story:
    """All that the log tells of one instance, from offset `start` up to `end` of its partition.

    `state` is the last one there was; `forgotten` says that the instance has left since.
    `steps` are the steps as they were last, also where the state does not keep them.
    """

    id: str
    app: str
    partition: int
    start: int
    end: int
    moments: tuple[Moment, ...]
    state: Instance | None
    steps: tuple[StepState, ...]
    forgotten: bool
    queued: tuple[Queued, ...]

    @property
    def started(self) -> Started | None:
        """The first fact of its last life, as far as the log still has it."""
        facts = (m.message.data for m in self.moments if isinstance(m.message, Envelope))
        return next((fact for fact in reversed([*facts]) if isinstance(fact, Started)), None)

    @property
    def found(self) -> bool:
        """Whether the log knows of it at all."""
        return bool(self.moments or self.queued)


class Teller:
    """Reads the story of one instance, and then, if wanted, how it goes on.

    `moment` hears of each fact as it is read; between them stand the new owners of the
    partition, as far as the instance was not at its end.
    """

    def __init__(self, log: Log, app: str, instance: str) -> None:
        self.state: Instance | None = None
        self.steps: tuple[StepState, ...] = ()
        self.forgotten = False
        self._log, self._app, self._instance = log, app, instance
        self._key = instance.encode()
        self._moments: list[Moment] = []

    async def read(self, progress: Progress | None = None) -> Story:
        """All up to now. Raises TopicMissing where the log has no such app."""
        topic = Topics(self._app).events
        partitions = await self._log.partitions(topic)
        number = partition_of(self._key, partitions)
        self._follower = Follower(frozenset({self._key}))
        self._place = (topic, number)
        start, self._end = (await bounds(self._log, [self._place]))[self._place]
        async for record in scan(self._log, {self._place: (start, self._end)}, progress):
            self._hear(record)
        queued = await self._queued(number)
        return Story(
            id=self._instance,
            app=self._app,
            partition=number,
            start=start,
            end=self._end,
            moments=tuple(self._moments),
            state=self.state,
            steps=self.steps,
            forgotten=self.forgotten,
            queued=tuple(queued),
        )

    async def follow(self) -> AsyncGenerator[Moment, None]:
        """What happens to it from where `read` ended, as it comes; this never ends."""
        reader = self._log.reader()
        reader.watch(self._place, self._end)
        try:
            while True:
                for record in await reader.read(1.0):
                    moment = self._hear(record)
                    self._end = record.offset + 1
                    if moment is not None:
                        yield moment
        finally:
            await reader.close()

    async def until(self, reached: Callable[[Moment], bool], seconds: float) -> Moment:
        """The first moment to come for which `reached` holds. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            async with aclosing(self.follow()) as moments:
                async for moment in moments:
                    if reached(moment):
                        return moment
        raise AssertionError("an instance is followed for ever")

    def _hear(self, record: Record) -> Moment | None:
        """Fold one record; the moment that it is for the instance, if it is one."""
        counted = self._follower.fold(record)
        if record.key != self._key:
            return self._hear_owner(record)
        state = self._follower.states.get(self._instance)
        message = decode(record.value)
        moment = Moment(record.offset, record.timestamp, message, state, counted)
        self._moments.append(moment)
        self.forgotten = state is None
        if state is not None:
            self.state, self.steps = state, state.steps or self.steps
        return moment

    def _hear_owner(self, record: Record) -> Moment | None:
        lives = self.state is not None and not self.forgotten and self.state.status not in ENDED
        if not lives or b"sagalog.partition.taken." not in (record.value or b""):
            return None
        message = decode(record.value)
        if not isinstance(message, Envelope) or not isinstance(message.data, Taken):
            return None
        moment = Moment(record.offset, record.timestamp, message, self.state, counted=True)
        self._moments.append(moment)
        return moment

    async def _queued(self, number: int) -> list[Queued]:
        """The requests for it that stand in its lanes and are not taken in yet."""
        places = [(topic, number) for topic in Topics(self._app).lanes]
        committed = await self._log.committed(lanes_group(self._app), places)
        ranges = {
            place: (max(start, committed.get(place, 0)), end)
            for place, (start, end) in (await bounds(self._log, places)).items()
        }
        found: list[Queued] = []
        async for record in scan(self._log, ranges):
            message = decode(record.value) if record.key == self._key else None
            if isinstance(message, Envelope) and not self._taken_in(message):
                ahead = record.offset - ranges[record.topic, number][0]
                lane = record.topic.removeprefix(f"{self._app}.")
                found.append(Queued(lane, number, record.offset, message, ahead))
        return found

    def _taken_in(self, message: Envelope) -> bool:
        """A request stands in its lane until the owner commits, a moment after the first fact."""
        return self.state is not None and isinstance(message.data, Start)
