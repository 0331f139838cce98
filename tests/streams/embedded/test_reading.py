"""Any mix of appends, trims and reads, by two processes, gives each reader each record once."""

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sagalog.schemas.record import Entry, Record
from sagalog.streams.embedded import EmbeddedLog, cursor, rows, tail, trimming
from sagalog.streams.log import Place, Reader
from tests.streams.embedded.files import PLACE, TOPIC, entries, open_log, read, values, watching

PLACES: list[Place] = [(TOPIC.name, partition) for partition in range(4)]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments, windows and buffers so small that every edge is met."""
    for module in (tail, trimming, rows):
        monkeypatch.setattr(module, "SPAN", 8)
    monkeypatch.setattr(rows, "WINDOW", 24)
    monkeypatch.setattr(rows, "MOST_ROWS", 5)
    monkeypatch.setattr(rows, "CHUNK", 3)
    monkeypatch.setattr(cursor, "HOLD", 10)


@dataclass
class Reading:
    """A reader and what it must see next."""

    reader: Reader
    next: dict[Place, int] = field(default_factory=dict)

    def check(self, records: list[Record], truth: dict[Place, list[str]]) -> None:
        for record in records:
            place = (record.topic, record.partition)
            assert record.offset == self.next[place]
            assert (record.value or b"").decode() == truth[place][record.offset]
            self.next[place] += 1


class World:
    """Two logs on one file, readers on both, and the truth."""

    def __init__(self, logs: list[EmbeddedLog], chance: random.Random) -> None:
        self.logs = logs
        self.chance = chance
        self.truth: dict[Place, list[str]] = {place: [] for place in PLACES}
        self.readings = [Reading(log.reader()) for log in logs for _ in range(2)]

    async def append(self) -> None:
        log, place = self.chance.choice(self.logs), self.chance.choice(PLACES[:3])
        truth = self.truth[place]
        bunch = [f"{place[1]}:{len(truth) + n}" for n in range(self.chance.choice([1, 1, 3, 20]))]
        assert await log.append(*place, entries(*bunch)) == len(truth)
        truth += bunch

    async def watch(self) -> None:
        reading, place = self.chance.choice(self.readings), self.chance.choice(PLACES)
        start = (await self.logs[0].starts([place]))[place]
        offset = self.chance.randint(start, len(self.truth[place]))
        reading.reader.watch(place, offset)
        reading.next[place] = offset

    async def pause(self) -> None:
        reading, place = self.chance.choice(self.readings), self.chance.choice(PLACES)
        reading.reader.pause(place)

    async def resume(self) -> None:
        reading, place = self.chance.choice(self.readings), self.chance.choice(PLACES)
        reading.reader.resume(place)

    async def drop(self) -> None:
        reading, place = self.chance.choice(self.readings), self.chance.choice(PLACES)
        reading.reader.drop(place)
        reading.next.pop(place, None)

    async def read(self) -> None:
        reading = self.chance.choice(self.readings)
        reading.check(await reading.reader.read(0.0), self.truth)

    async def trim(self) -> None:
        """Trim what every reader has read."""
        place = self.chance.choice(PLACES)
        positions = [reading.next[place] for reading in self.readings if place in reading.next]
        await self.logs[0].trim({place: min(positions, default=len(self.truth[place]))})

    async def finish(self) -> None:
        for reading in self.readings:
            for place in PLACES:
                reading.reader.resume(place)
            missing = sum(len(self.truth[place]) - at for place, at in reading.next.items())
            reading.check(await read(reading.reader, missing), self.truth)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(12))
async def test_every_record_once_and_in_order(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "log.db"
    async with (
        open_log(path, fsync=False) as first,
        open_log(path, fsync=False) as second,
    ):
        world = World([first, second], random.Random(seed))
        steps = [world.append, world.read, world.watch, world.pause, world.resume, world.drop]
        for _ in range(500):
            await world.chance.choices([*steps, world.trim], weights=[8, 8, 2, 1, 2, 1, 1])[0]()
        await world.finish()


async def test_a_backlog_comes_in_bounded_reads(tmp_path: Path) -> None:
    async with open_log(tmp_path / "log.db") as log:
        for n in range(50):
            await log.append(*PLACES[n % 4], entries(*range(200)))
        reader = watching(log, *PLACES)
        sizes: list[int] = []
        while sum(sizes) < 10_000:
            sizes.append(len(await reader.read(1.0)))
        assert max(sizes) <= 1100


async def test_large_records_come_in_small_reads(tmp_path: Path) -> None:
    async with open_log(tmp_path / "log.db") as log:
        for _ in range(30):
            await log.append(*PLACE, [Entry(None, b"x" * 1_000_000)])
        reader = watching(log)
        total, largest = 0, 0
        while total < 30:
            count = len(await reader.read(1.0))
            total, largest = total + count, max(largest, count)
        assert total == 30


async def test_what_is_not_read_stays_in_the_file(tmp_path: Path) -> None:
    async with open_log(tmp_path / "log.db") as log:
        reader = watching(log)
        assert await reader.read(0.0) == []
        for _ in range(12):
            await log.append(*PLACE, entries(*range(1000)))
        assert log._session
        feed = log._session._readers[reader]  # type: ignore[index]
        assert len(feed._cursors[0].held) < 6000
        assert values(await read(reader, 12_000)) == [str(n) for n in range(1000)] * 12


async def test_a_place_with_few_records_is_found_among_many(tmp_path: Path) -> None:
    async with open_log(tmp_path / "log.db") as log:
        for n in range(5):
            await log.append(*PLACES[1], entries(n))
            await log.append(*PLACES[0], entries(*range(9000)))
        assert values(await read(watching(log, PLACES[1]), 5)) == list("01234")
