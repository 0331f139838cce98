"""What a reader promises."""

import asyncio
import time

import pytest

from sagalog.schemas.record import Entry, Record
from sagalog.streams.errors import OffsetLost
from sagalog.streams.log import Log
from tests.contracts.probes import BRIEF, SOON, entries, read, reading, silent, values


class ReadingContract:
    async def test_a_record_is_what_was_appended(self, log: Log, topic: str) -> None:
        headers = (("traceparent", b"00-1-2-01"), ("empty", b""))
        before = int(time.time() * 1000)
        await log.append(topic, 1, [Entry(b"k", b"v", headers), Entry(None, b""), Entry(b"", None)])
        async with reading(log, ((topic, 1), 0)) as reader:
            full, keyless, tombstone = await read(reader, 3)
        assert full == Record(topic, 1, 0, full.timestamp, b"k", b"v", headers)
        assert (keyless.offset, keyless.key, keyless.value, keyless.headers) == (1, None, b"", ())
        assert (tombstone.offset, tombstone.key, tombstone.value) == (2, b"", None)
        assert before - 1000 <= full.timestamp <= time.time() * 1000 + 1000

    async def test_read_starts_at_the_offset(self, log: Log, topic: str) -> None:
        await log.append(topic, 0, entries("a", "b", "c", "d"))
        await log.append(topic, 0, entries("e"))
        async with reading(log, ((topic, 0), 2)) as reader:
            assert values(await read(reader, 3)) == ["c", "d", "e"]
            assert await silent(reader)

    async def test_read_waits_for_the_next_record(self, log: Log, topic: str) -> None:
        async with reading(log, ((topic, 0), 0)) as reader:
            pending = asyncio.ensure_future(reader.read(SOON))
            await asyncio.sleep(0.05)
            await log.append(topic, 0, entries("a"))
            assert values(await pending) == ["a"]

    async def test_read_without_any_place_waits(self, log: Log) -> None:
        async with reading(log) as reader:
            began = time.monotonic()
            assert await silent(reader)
            assert time.monotonic() - began >= BRIEF * 0.9

    async def test_watch_wakes_a_pending_read(self, log: Log, topic: str) -> None:
        await log.append(topic, 0, entries("a"))
        async with reading(log) as reader:
            pending = asyncio.ensure_future(reader.read(SOON))
            await asyncio.sleep(0.05)
            reader.watch((topic, 0), 0)
            assert values(await pending) == ["a"]

    async def test_each_place_is_read_in_its_own_order(self, log: Log, topic: str) -> None:
        for n in range(10):
            log.append(topic, 0, entries(f"left {n}"))
            await log.append(topic, 1, entries(f"right {n}"))
        async with reading(log, ((topic, 0), 0), ((topic, 1), 5)) as reader:
            records = await read(reader, 15)
        by_partition = [values([r for r in records if r.partition == p]) for p in (0, 1)]
        assert by_partition[0] == [f"left {n}" for n in range(10)]
        assert by_partition[1] == [f"right {n}" for n in range(5, 10)]

    async def test_watching_again_moves(self, log: Log, topic: str) -> None:
        await log.append(topic, 0, entries("a", "b", "c"))
        async with reading(log, ((topic, 0), 0)) as reader:
            assert values(await read(reader, 3)) == ["a", "b", "c"]
            reader.watch((topic, 0), 1)
            assert values(await read(reader, 2)) == ["b", "c"]

    async def test_watching_another_place_moves_none(self, log: Log, topic: str) -> None:
        await log.append(topic, 0, entries("a", "b"))
        await log.append(topic, 1, entries("x"))
        async with reading(log, ((topic, 0), 0)) as reader:
            assert values(await read(reader, 2)) == ["a", "b"]
            reader.watch((topic, 1), 0)
            assert values(await read(reader, 1)) == ["x"]
            await log.append(topic, 0, entries("c"))
            assert values(await read(reader, 1)) == ["c"]

    async def test_paused_places_are_silent_and_keep_their_position(
        self, log: Log, topic: str
    ) -> None:
        await log.append(topic, 0, entries("a"))
        async with reading(log, ((topic, 0), 0), ((topic, 1), 0)) as reader:
            assert values(await read(reader, 1)) == ["a"]
            reader.pause((topic, 0))
            await log.append(topic, 0, entries("b"))
            await log.append(topic, 1, entries("x"))
            assert values(await read(reader, 1)) == ["x"]
            assert await silent(reader)
            reader.resume((topic, 0))
            await log.append(topic, 0, entries("c"))
            assert values(await read(reader, 2)) == ["b", "c"]

    async def test_resume_wakes_a_pending_read(self, log: Log, topic: str) -> None:
        await log.append(topic, 0, entries("a"))
        async with reading(log, ((topic, 0), 0)) as reader:
            reader.pause((topic, 0))
            pending = asyncio.ensure_future(reader.read(SOON))
            await asyncio.sleep(0.05)
            reader.resume((topic, 0))
            assert values(await pending) == ["a"]

    async def test_dropped_places_are_silent(self, log: Log, topic: str) -> None:
        async with reading(log, ((topic, 0), 0), ((topic, 1), 0)) as reader:
            reader.drop((topic, 0))
            await log.append(topic, 0, entries("a"))
            await log.append(topic, 1, entries("x"))
            assert values(await read(reader, 1)) == ["x"]
            assert await silent(reader)
            reader.watch((topic, 0), 0)
            assert values(await read(reader, 1)) == ["a"]

    async def test_readers_do_not_disturb_each_other(self, log: Log, topic: str) -> None:
        await log.append(topic, 0, entries("a", "b"))
        async with (
            reading(log, ((topic, 0), 0)) as early,
            reading(log, ((topic, 0), 1)) as late,
        ):
            assert values(await read(late, 1)) == ["b"]
            assert values(await read(early, 2)) == ["a", "b"]

    async def test_closing_ends_a_pending_read(self, log: Log, topic: str) -> None:
        reader = log.reader()
        reader.watch((topic, 0), 0)
        pending = asyncio.ensure_future(reader.read(SOON))
        await asyncio.sleep(0.05)
        await reader.close()
        assert await asyncio.wait_for(pending, 1.0) == []

    async def test_an_offset_beyond_the_end_is_lost(self, log: Log, topic: str) -> None:
        await log.append(topic, 0, entries("a"))
        async with reading(log, ((topic, 0), 5)) as reader:
            with pytest.raises(OffsetLost, match=topic):
                await reader.read(SOON)

    async def test_a_trimmed_offset_is_lost(self, log: Log, topic: str) -> None:
        await log.append(topic, 0, entries("a", "b", "c"))
        await log.trim({(topic, 0): 2})
        async with reading(log, ((topic, 0), 1)) as reader:
            with pytest.raises(OffsetLost, match=topic):
                await reader.read(SOON)
