"""Reads the log again from its beginning, for what it says of each order."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field

from sagalog.schemas import facts as f
from sagalog.schemas.codec import decode
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.record import Record
from sagalog.schemas.requests import StartSaga
from sagalog.schemas.topics import Topics
from sagalog.streams.log import Log

ENDS = {f.Completed: "completed", f.Compensated: "compensated", f.Cancelled: "cancelled"}


@dataclass(slots=True)
class Story:
    """One order as the log tells it. Times are the log's own, in milliseconds; 0 for not yet.

    `results` says when the result of a call came into the log: by step, and "forward" or
    "undo".
    """

    requested: int = 0
    started: int = 0
    ended: int = 0
    end: str = ""
    retries: int = 0
    results: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, fact: object, time: int) -> None:
        """Go on with the story; the first of equal facts counts."""
        match fact:
            case f.Started():
                self.started = self.started or time
            case f.StepCompleted():
                self.results.setdefault((fact.step, "forward"), time)
            case f.StepCompensated():
                self.results.setdefault((fact.step, "undo"), time)
            case f.StepFailed(final=False) | f.CompensationFailed(final=False):
                self.retries += 1
            case f.Completed() | f.Compensated() | f.Cancelled() if not self.end:
                self.end, self.ended = ENDS[type(fact)], time


async def stories(log: Log, app: str) -> tuple[dict[str, Story], list[int]]:
    """The stories of all orders, and when workers took partitions over."""
    topics = Topics(app)
    found: dict[str, Story] = {}
    takes: list[int] = []
    async for record in _whole(log, [topics.lane("normal"), topics.events]):
        message = decode(record.value)
        if not isinstance(message, Envelope):
            raise SystemExit(f"the log holds what nobody wrote: {record}")
        if isinstance(message.data, f.Taken):
            takes.append(record.timestamp)
            continue
        story = found.setdefault(message.subject, Story())
        if isinstance(message.data, StartSaga):
            story.requested = story.requested or record.timestamp
        else:
            story.add(message.data, record.timestamp)
    return found, takes


async def _whole(log: Log, topics: Collection[str]) -> AsyncIterator[Record]:
    """Everything that some topics hold now."""
    places = [(topic, p) for topic in topics for p in range(await log.partitions(topic))]
    starts, ends = await log.starts(places), await log.ends(places)
    left = {place for place in places if starts[place] < ends[place]}
    reader = log.reader()
    for place in left:
        reader.watch(place, starts[place])
    while left:
        records = await reader.read(10.0)
        if not records:
            raise SystemExit(f"the log ends before its end: {sorted(left)}")
        for record in records:
            place = (record.topic, record.partition)
            if record.offset < ends[place]:
                yield record
            if record.offset + 1 >= ends[place]:
                left.discard(place)
    await reader.close()
