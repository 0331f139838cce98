"""Appends to a real Kafka: what brokers do to them, and what does not happen to them."""

import asyncio
from functools import partial
from itertools import count

import pytest

from sagalog.schemas.record import Entry
from sagalog.streams.errors import LogUnavailable, RecordTooLarge
from sagalog.streams.kafka import KafkaLog
from sagalog.streams.kafka.batches import Identity
from sagalog.streams.log import Place
from tests.kafka.broker import Broker
from tests.kafka.logs import content, entry, events, kafka_log, text


class Writer:
    """Appends numbers to a place, many at a time, and notes what was acknowledged."""

    def __init__(self, log: KafkaLog, place: Place) -> None:
        self._log = log
        self._place = place
        self._numbers = count()
        self._waiting: set[asyncio.Future[int]] = set()
        self.acknowledged: dict[int, str] = {}
        self.progress = asyncio.Event()

    async def run(self) -> None:
        while True:
            number = f"{next(self._numbers)}"
            appended = asyncio.ensure_future(
                self._log.append(*self._place, [entry(f"{number}a"), entry(f"{number}b")])
            )
            self._waiting.add(appended)
            appended.add_done_callback(partial(self._note, number))
            await asyncio.sleep(0.001)
            while len(self._waiting) > 50:
                await asyncio.wait(self._waiting, return_when=asyncio.FIRST_COMPLETED)

    async def finish(self) -> None:
        await asyncio.gather(*self._waiting)

    async def more(self, appends: int) -> None:
        """Wait until so many more are acknowledged."""
        enough = len(self.acknowledged) + appends
        while len(self.acknowledged) < enough:
            self.progress.clear()
            await self.progress.wait()

    def _note(self, number: str, appended: asyncio.Future[int]) -> None:
        self._waiting.discard(appended)
        self.acknowledged[appended.result()] = number
        self.progress.set()


@pytest.mark.slow
async def test_a_killed_broker_loses_doubles_and_reorders_nothing(
    own_broker: Broker, app_name: str
) -> None:
    async with kafka_log(own_broker.bootstrap) as log:
        topic = await events(log, app_name, 2)
        writers = [Writer(log, (topic, partition)) for partition in range(2)]
        running = [asyncio.create_task(writer.run()) for writer in writers]
        for _ in range(2):
            await asyncio.gather(*(writer.more(200) for writer in writers))
            await asyncio.to_thread(own_broker.kill)
            await asyncio.to_thread(own_broker.start)
        await asyncio.gather(*(writer.more(200) for writer in writers))
        for task in running:
            task.cancel()
        await asyncio.gather(*(writer.finish() for writer in writers))
        for partition, writer in enumerate(writers):
            found = [text(record) for record in await content(log, (topic, partition))]
            total = len(writer.acknowledged)
            assert found == [f"{n}{letter}" for n in range(total) for letter in "ab"]
            assert writer.acknowledged == {2 * n: f"{n}" for n in range(total)}


@pytest.mark.slow
async def test_a_frozen_broker_doubles_nothing(own_broker: Broker, app_name: str) -> None:
    """Unanswered requests are repeated on a new connection; the broker has both in the end."""
    async with kafka_log(own_broker.bootstrap, request_timeout=1.0) as log:
        topic = await events(log, app_name)
        await log.append(topic, 0, [entry("before")])
        own_broker.freeze()
        appends = [log.append(topic, 0, [entry(f"{n}")]) for n in range(10)]
        await asyncio.sleep(3.0)
        own_broker.thaw()
        assert await asyncio.gather(*appends) == list(range(1, 11))
        found = [text(record) for record in await content(log, (topic, 0))]
        assert found == ["before", *(f"{n}" for n in range(10))]


async def test_closing_gives_up_when_no_broker_answers(own_broker: Broker, app_name: str) -> None:
    async with kafka_log(own_broker.bootstrap, close_timeout=0.2) as log:
        topic = await events(log, app_name)
        await log.append(topic, 0, [entry("kept")])
        await asyncio.to_thread(own_broker.kill)
        waiting = asyncio.ensure_future(log.append(topic, 0, [entry("lost")]))
        await asyncio.sleep(0)
    with pytest.raises(LogUnavailable, match="closed"):
        await waiting
    with pytest.raises(LogUnavailable, match="closed"):
        await log.append(topic, 0, [entry("late")])


async def test_closing_sends_what_was_appended(kafka: str, app_name: str) -> None:
    async with kafka_log(kafka) as log:
        topic = await events(log, app_name)
        for n in range(100):
            log.append(topic, 0, [entry(f"{n}")])
    async with kafka_log(kafka) as log:
        found = [text(record) for record in await content(log, (topic, 0))]
    assert found == [f"{n}" for n in range(100)]


async def test_a_record_over_our_limit_is_not_sent(kafka: str, app_name: str) -> None:
    async with kafka_log(kafka, max_batch_bytes=10_000, max_record_bytes=10_000) as log:
        topic = await events(log, app_name)
        with pytest.raises(RecordTooLarge, match="over the limit of 10000"):
            await log.append(topic, 0, [entry("small"), Entry(b"key", bytes(20_000))])
        assert await log.append(topic, 0, [entry("next")]) == 0


async def test_a_record_over_the_topics_limit_harms_no_other(kafka: str, app_name: str) -> None:
    """The brokers refuse the whole bunch; it is sent again in halves."""
    async with kafka_log(kafka) as log:
        topic = await events(log, app_name, max_message_bytes="5000")
        large = Entry(b"key", bytes(6000))
        appends = [
            log.append(topic, 0, [large if n == 7 else Entry(b"key", b"%d" % n)]) for n in range(20)
        ]
        results = await asyncio.gather(*appends, return_exceptions=True)
        assert isinstance(results.pop(7), RecordTooLarge)
        assert results == list(range(19))


async def test_an_append_of_many_batches_keeps_its_order(kafka: str, app_name: str) -> None:
    async with kafka_log(kafka, max_batch_bytes=10_000) as log:
        topic = await events(log, app_name)
        many = [Entry(b"%d" % n, bytes(900)) for n in range(100)]
        first = log.append(topic, 0, many)
        second = log.append(topic, 0, [entry("after")])
        assert (await first, await second) == (0, 100)
        records = await content(log, (topic, 0))
        assert [record.key for record in records] == [*(e.key for e in many), b"key"]


async def test_appends_of_one_turn_share_a_batch(kafka: str, app_name: str) -> None:
    async with kafka_log(kafka) as log:
        topic = await events(log, app_name)
        await log.append(topic, 0, [entry("first")])
        await asyncio.gather(*(log.append(topic, 0, [entry(f"{n}")]) for n in range(50)))
        records = await content(log, (topic, 0))
    assert len({record.timestamp for record in records[1:]}) == 1  # one batch has one stamp


@pytest.mark.parametrize("broken", ["sequence", "epoch"])
async def test_a_producer_that_brokers_do_not_believe_is_replaced(
    kafka: str, app_name: str, broken: str
) -> None:
    async with kafka_log(kafka) as log:
        topic = await events(log, app_name, 2)
        await asyncio.gather(*(log.append(topic, p, [entry("first")]) for p in range(2)))
        queue = log._outbox._queues[topic, 0]
        assert queue.identity is not None
        if broken == "sequence":
            queue._sequence += 10
        else:
            queue.identity = Identity(queue.identity.producer_id, -1)
            log._outbox._identity = queue.identity
        with pytest.raises(LogUnavailable, match=topic):
            await log.append(topic, 0, [entry("refused")])
        assert await log.append(topic, 0, [entry("second")]) == 1
        assert await log.append(topic, 1, [entry("second")]) == 1


async def test_sequences_count_round(kafka: str, app_name: str) -> None:
    """After 2**31 records to one place; aiokafka's producer counts on to negative numbers."""
    async with kafka_log(kafka) as log:
        topic = await events(log, app_name)
        place = (topic, 0)
        preparing = log.append(*place, [entry("0")])
        log._outbox._queues[place]._sequence = 2**31 - 2
        await preparing
        for n in range(1, 5):
            assert await log.append(*place, [entry(f"{n}a"), entry(f"{n}b")]) == 2 * n - 1
