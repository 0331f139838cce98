"""The gate: when it asks the log, and what it tells."""

import asyncio
from collections.abc import Collection
from typing import Any

import pytest

from sagalog.schemas.record import Entry
from sagalog.schemas.topics import Topics
from sagalog.streams import Backpressure, LogUnavailable
from sagalog.streams.backpressure import Gate
from sagalog.streams.embedded import MemoryLog, MemoryStore
from sagalog.streams.log import Place
from sagalog.streams.owner import lanes_group


class Counting(MemoryLog):
    """Counts how often it is asked for ends; `away` as a log that nobody reaches."""

    asked = 0
    away = False

    async def ends(self, places: Collection[Place]) -> dict[Place, int]:
        self.asked += 1
        if self.away:
            raise LogUnavailable("it is away")
        return await super().ends(places)


class Lane:
    """A lane in memory, and a gate before it with a clock of its own."""

    place = ("orders.low", 0)

    def __init__(self, log: Counting, limit: int) -> None:
        self.log, self.now = log, 1_000_000
        self.gate = Gate(log, "orders", limit, lambda: self.now)

    async def send(self, count: int) -> None:
        await self.gate.enter("low", count, 1)
        await self.log.append(*self.place, [Entry(b"k", b"v")] * count)

    async def done(self, offset: int) -> None:
        await self.log.commit(lanes_group("orders"), {self.place: offset})


@pytest.fixture
async def lane() -> Any:
    log = Counting(MemoryStore())
    await log.open()
    await log.create(Topics("orders").specs(1))
    made = Lane(log, 100)
    yield made
    await made.gate.close()
    await log.close()


async def test_it_asks_at_most_once_a_second_and_only_while_somebody_sends(lane: Lane) -> None:
    for _ in range(20):
        await lane.send(1)
        lane.now += 100
    await asyncio.sleep(0)
    assert lane.log.asked == 2
    await asyncio.sleep(0.05)
    assert lane.log.asked == 2


async def test_what_it_sent_itself_counts_before_it_asks_again(lane: Lane) -> None:
    for _ in range(100):
        await lane.send(1)
    with pytest.raises(Backpressure):
        await lane.send(1)
    assert lane.log.asked == 1


async def test_the_retry_follows_from_what_went_out(lane: Lane) -> None:
    await lane.send(150)
    with pytest.raises(Backpressure):
        await lane.send(1)
    lane.now += 6_000
    await lane.done(18)
    with pytest.raises(Backpressure) as told:
        await lane.send(1)
    # 132 are left, 33 too many, and 3 go out a second.
    assert (told.value.depth, told.value.retry_after) == (132, 11)


async def test_a_log_that_does_not_answer_holds_nothing_back(
    lane: Lane, caplog: pytest.LogCaptureFixture
) -> None:
    lane.log.away = True
    await lane.send(500)
    lane.log.away = False
    with pytest.raises(Backpressure):
        await lane.send(1)
    assert "cannot learn how much waits: error='it is away'" in caplog.text
