"""What appending promises."""

import asyncio

import pytest

from sagalog.streams.errors import TopicMissing
from sagalog.streams.log import Log
from tests.contracts.probes import entries, fresh, read, reading, values


class AppendingContract:
    async def test_append_answers_with_the_first_offset(self, log: Log, topic: str) -> None:
        assert await log.append(topic, 0, entries("a", "b", "c")) == 0
        assert await log.append(topic, 0, entries("d")) == 3
        assert await log.append(topic, 1, entries("e")) == 0

    async def test_appends_keep_the_order_of_their_calls(self, log: Log, topic: str) -> None:
        calls = [log.append(topic, 0, entries(f"{n}a", f"{n}b", f"{n}c")) for n in range(300)]
        assert await asyncio.gather(*calls) == [3 * n for n in range(300)]
        async with reading(log, ((topic, 0), 0)) as reader:
            records = await read(reader, 900)
        assert values(records) == [f"{n}{letter}" for n in range(300) for letter in "abc"]
        assert [record.offset for record in records] == list(range(900))

    async def test_appends_during_an_append_follow_it(self, log: Log, topic: str) -> None:
        first = asyncio.ensure_future(log.append(topic, 0, entries("first")))
        await asyncio.sleep(0)
        later = [log.append(topic, 0, entries(str(n))) for n in range(20)]
        assert await first == 0
        assert await asyncio.gather(*later) == list(range(1, 21))

    async def test_an_append_that_nobody_awaits_is_appended(self, log: Log, topic: str) -> None:
        log.append(topic, 0, entries("ignored"))
        assert await log.append(topic, 0, entries("awaited")) == 1

    async def test_an_append_whose_waiter_is_cancelled_is_appended(
        self, log: Log, topic: str
    ) -> None:
        waiter = asyncio.ensure_future(log.append(topic, 0, entries("cancelled")))
        await asyncio.sleep(0)
        waiter.cancel()
        assert await log.append(topic, 0, entries("next")) == 1

    async def test_append_to_a_missing_topic(self, log: Log) -> None:
        with pytest.raises(TopicMissing, match="sagalog topics create"):
            await log.append(fresh(), 0, entries("a"))

    async def test_append_to_a_missing_partition(self, log: Log, topic: str) -> None:
        with pytest.raises(TopicMissing):
            await log.append(topic, 7, entries("a"))
