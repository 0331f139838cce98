"""What is trimmed or too old is gone at once for readers, and soon from the file."""

from pathlib import Path

import pytest

from sagalog.schemas.topics import HOUR, TopicSpec
from sagalog.streams.embedded import EmbeddedLog, MemoryLog
from sagalog.streams.embedded.schema import SPAN
from sagalog.streams.errors import OffsetLost
from sagalog.streams.log import Place
from tests.streams.embedded.files import (
    PLACE,
    TOPIC,
    entries,
    eventually,
    open_log,
    read_all,
    values,
)

BRIEF: Place = ("brief", 0)
EVER: Place = ("ever", 0)
SPECS = [
    TopicSpec("brief", 1, {"cleanup.policy": "compact,delete", "retention.ms": str(HOUR)}),
    TopicSpec("ever", 1, {"retention.ms": "-1"}),
]


class Clock:
    now = 0

    def __call__(self) -> int:
        return self.now


def rows(log: EmbeddedLog, place: Place) -> int:
    """How many rows of a place the file still has."""
    assert log._session
    number = log._session.catalogue.number(place)
    count = "SELECT count(*) FROM records WHERE place = ?"
    return int(log._session.rows.select(count, (number,))[0][0])


async def test_expired_records_are_deleted(tmp_path: Path) -> None:
    clock = Clock()
    async with open_log(tmp_path / "log.db", clock=clock) as log:
        await log.create(SPECS)
        for n in range(40):
            clock.now = n * HOUR // 10
            log.append(*BRIEF, entries(*range(50)))
            await log.append(*EVER, entries(*range(50)))
        assert rows(log, BRIEF) == 2000
        await log.expire(clock.now)
        starts = {BRIEF: 29 * 50, EVER: 0}
        assert await log.starts([BRIEF, EVER]) == starts
        assert {record.timestamp for record in await read_all(log, BRIEF)} == {
            n * HOUR // 10 for n in range(29, 40)
        }
        assert 550 <= rows(log, BRIEF) < 550 + SPAN
        assert len(await read_all(log, EVER)) == rows(log, EVER) == 2000
        await log.expire(clock.now)
        assert await log.starts([BRIEF, EVER]) == starts


async def test_all_may_expire_and_offsets_go_on(tmp_path: Path) -> None:
    path, clock = tmp_path / "log.db", Clock()
    async with open_log(path, clock=clock) as log:
        await log.create(SPECS)
        for _ in range(10):
            await log.append(*BRIEF, entries(*range(SPAN // 2)))
        await log.expire(2 * HOUR)
        assert rows(log, BRIEF) == 0
        assert await log.starts([BRIEF]) == await log.ends([BRIEF]) == {BRIEF: 5 * SPAN}
    async with open_log(path, clock=clock) as log:
        assert await log.append(*BRIEF, entries("next")) == 5 * SPAN
        assert values(await read_all(log, BRIEF)) == ["next"]


async def test_the_log_expires_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sagalog.streams.embedded.retention.EVERY", 0.01)
    clock = Clock()
    async with open_log(tmp_path / "log.db", clock=clock) as log:
        await log.create(SPECS)
        await log.append(*BRIEF, entries("a"))
        clock.now = 2 * HOUR

        async def expired() -> bool:
            return await log.starts([BRIEF]) == {BRIEF: 1}

        await eventually(expired)


async def test_trimmed_rows_leave_the_file_in_the_background(tmp_path: Path) -> None:
    async with open_log(tmp_path / "log.db") as log:
        for _ in range(20):
            log.append(TOPIC.name, 1, entries(*range(SPAN)))
            await log.append(*PLACE, entries(*range(SPAN)))
        await log.trim({PLACE: 19 * SPAN + 3})
        assert await log.starts([PLACE]) == {PLACE: 19 * SPAN + 3}

        async def swept() -> bool:
            return rows(log, PLACE) <= 2 * SPAN

        await eventually(swept)
        assert values(await read_all(log)) == [str(n) for n in range(3, SPAN)]
        assert len(await read_all(log, (TOPIC.name, 1))) == 20 * SPAN


async def test_a_reader_that_is_overtaken_by_a_trim_is_told(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with open_log(path) as log, open_log(path) as other:
        await log.append(*PLACE, entries(*range(10)))
        reader = log.reader()
        reader.watch(PLACE, 0)
        await other.trim({PLACE: 5})
        with pytest.raises(OffsetLost, match=r"t.events/0 does not hold offset 0.* from 5 on"):
            await reader.read(1.0)
        reader.watch(PLACE, 5)
        assert values(await reader.read(1.0)) == ["5", "6", "7", "8", "9"]


async def test_trims_go_forward_and_not_beyond_the_end(tmp_path: Path) -> None:
    memory = MemoryLog()
    await memory.create([TOPIC])
    async with open_log(tmp_path / "log.db") as log:
        for each in (log, memory):
            await each.append(*PLACE, entries(*range(10)))
            await each.trim({PLACE: 5})
            await each.trim({PLACE: 3})
            with pytest.raises(OffsetLost, match="trimmed to 11"):
                await each.trim({(TOPIC.name, 1): 0, PLACE: 11})
            assert await each.starts([PLACE]) == {PLACE: 5}


async def test_memory_expires_when_told() -> None:
    clock = Clock()
    log = MemoryLog(clock=clock)
    await log.create(SPECS)
    for place in (BRIEF, EVER):
        await log.append(*place, entries("old"))
    clock.now = HOUR + 1
    await log.append(*BRIEF, entries("new"))
    await log.expire(clock.now)
    assert await log.starts([BRIEF, EVER]) == {BRIEF: 1, EVER: 0}
    assert values(await read_all(log, BRIEF)) == ["new"]
