"""Many places are read as one, in the order of their stamps, and few records are held."""

import asyncio

import pytest

from sagalog.schemas.record import Entry, Record
from sagalog.schemas.topics import TopicSpec
from sagalog.streams.audit import merge
from sagalog.streams.audit.merge import Merge
from sagalog.streams.embedded import MemoryLog

EVENTS, NORMAL, LETTERS = "orders.events", "orders.normal", "orders.deadletters"


class Clocked:
    """A log in memory whose clock the test sets."""

    def __init__(self) -> None:
        self.now = 1000
        self.log = MemoryLog(clock=lambda: self.now)

    async def open(self) -> None:
        specs = [TopicSpec(name, 2) for name in (EVENTS, NORMAL, LETTERS)]
        await self.log.create(specs)

    async def put(self, topic: str, at: int, partition: int = 0, count: int = 1) -> None:
        self.now = at
        await self.log.append(topic, partition, [Entry(b"k", b"v")] * count)


@pytest.fixture
async def clocked() -> Clocked:
    made = Clocked()
    await made.open()
    return made


async def read(made: Merge) -> list[Record]:
    async with asyncio.timeout(10):
        return [record async for record in made.records()]


def places(records: list[Record]) -> list[tuple[str, int, int]]:
    return [(r.topic.rpartition(".")[2], r.partition, r.timestamp) for r in records]


async def test_records_come_in_the_order_of_their_stamps(clocked: Clocked) -> None:
    for topic, at, partition in (
        (EVENTS, 5, 0),
        (EVENTS, 9, 0),
        (EVENTS, 6, 1),
        (NORMAL, 4, 0),
        (NORMAL, 7, 0),
    ):
        await clocked.put(topic, at, partition)
    made = Merge(clocked.log)
    made.add({(EVENTS, 0): (0, 2), (EVENTS, 1): (0, 1), (NORMAL, 0): (0, 2)})
    found = places(await read(made))
    assert [at for _, _, at in found] == [4, 5, 6, 7, 9]


async def test_of_one_stamp_requests_come_first_and_what_is_told_last(clocked: Clocked) -> None:
    for topic in (LETTERS, EVENTS, NORMAL):
        await clocked.put(topic, 5)
    made = Merge(clocked.log)
    made.add({(topic, 0): (0, 1) for topic in (LETTERS, EVENTS, NORMAL)})
    assert [name for name, _, _ in places(await read(made))] == ["normal", "events", "deadletters"]


async def test_nothing_outside_of_the_bounds_is_read(clocked: Clocked) -> None:
    await clocked.put(EVENTS, 5, count=10)
    made = Merge(clocked.log)
    made.add({(EVENTS, 0): (3, 7), (EVENTS, 1): (0, 0)})
    assert [record.offset for record in await read(made)] == [3, 4, 5, 6]


async def test_few_records_are_held_of_a_place_that_is_ahead(
    clocked: Clocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "MOST", 10)
    await clocked.put(NORMAL, 100, count=5000)
    for at in range(200, 250):
        await clocked.put(EVENTS, at)
    made = Merge(clocked.log)
    made.add({(EVENTS, 0): (0, 50), (NORMAL, 0): (0, 5000)})
    found: list[Record] = []
    async for record in made.records():
        found.append(record)
        if record.topic == EVENTS:
            assert len(made._held[NORMAL, 0]) == 0
    assert len(found) == 5050
    assert [r.timestamp for r in found] == sorted(r.timestamp for r in found)


async def test_places_may_be_added_while_others_are_read(clocked: Clocked) -> None:
    await clocked.put(EVENTS, 5, count=3)
    await clocked.put(LETTERS, 6, count=2)
    told: list[tuple[int, int]] = []
    made = Merge(clocked.log, lambda read, total: told.append((read, total)))
    made.add({(EVENTS, 0): (0, 3)})
    found: list[Record] = []
    async for record in made.records():
        if not found:
            made.add({(LETTERS, 0): (0, 2)})
        found.append(record)
    assert len(found) == 5
    assert told[-1] == (5, 5)


async def test_a_place_that_ends_without_records_keeps_nobody_waiting(
    clocked: Clocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "PATIENCE", 1)
    await clocked.put(EVENTS, 5, count=2)
    made = Merge(clocked.log)
    made.add({(EVENTS, 0): (0, 4)})
    assert len(await read(made)) == 2
