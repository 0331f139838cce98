"""What the log in memory is for: quick, the same each time, shared as a file is."""

import asyncio
import time

import pytest

from sagalog.schemas.record import Entry
from sagalog.streams.embedded import MemoryLog, MemoryStore
from sagalog.streams.errors import Fenced
from tests.streams.embedded.files import PLACE, TOPIC, entries, values, watching


async def test_logs_on_one_store_see_each_other() -> None:
    store = MemoryStore()
    first, second = MemoryLog(store), MemoryLog(store)
    await first.create([TOPIC])
    reader = watching(second)
    pending = asyncio.ensure_future(reader.read(10.0))
    await asyncio.sleep(0)
    first.append(*PLACE, entries("a"))
    assert values(await pending) == ["a"]
    await first.close()
    assert await second.ends([PLACE]) == {PLACE: 1}


async def test_a_newer_owner_in_another_log_fences() -> None:
    store = MemoryStore()
    first, second = MemoryLog(store), MemoryLog(store)
    await first.create([TOPIC])
    older = await first.checkpoints(*PLACE)
    await second.checkpoints(*PLACE)
    with pytest.raises(Fenced, match="newer owner"):
        await older.write([Entry(b"a", b"1")])


async def test_stores_are_apart() -> None:
    first, second = MemoryLog(), MemoryLog()
    assert await first.create([TOPIC]) == [TOPIC.name]
    assert await second.create([TOPIC]) == [TOPIC.name]


async def test_an_append_yields_to_the_others() -> None:
    log = MemoryLog()
    await log.create([TOPIC])
    turns = 0

    async def other() -> None:
        nonlocal turns
        for _ in range(100):
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.create_task(other())
    for _ in range(100):
        await log.append(*PLACE, entries("a"))
    assert turns > 50
    await task


async def test_the_clock_stamps_and_never_goes_back() -> None:
    times = iter([5, 3, 9])
    log = MemoryLog(clock=lambda: next(times))
    await log.create([TOPIC])
    for _ in range(3):
        await log.append(*PLACE, entries("a"))
    assert [record.timestamp for record in await watching(log).read(1.0)] == [5, 5, 9]


async def test_it_is_quick() -> None:
    log = MemoryLog()
    await log.create([TOPIC])
    reader, bunch = watching(log), entries(*range(10))
    began = time.process_time()
    for _ in range(1000):
        await log.append(*PLACE, bunch)
        assert len(await reader.read(1.0)) == 10
    # 10,000 records in about 30 ms; a quiet machine is not asked for.
    assert time.process_time() - began < 1.0
