"""Reading from a real Kafka: sessions, outages, backlogs, and what other clients write."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from sagalog.schemas.record import Entry
from sagalog.streams.errors import TopicMissing
from sagalog.streams.kafka.fetch import Fetched, FetchLimits, FetchSession, Part
from sagalog.streams.kafka.reader import KafkaReader
from tests.contracts.probes import read, reading, values
from tests.kafka.broker import Broker
from tests.kafka.logs import entry, events, kafka_log


@pytest.mark.slow
async def test_a_reader_goes_on_after_its_broker_was_killed(
    own_broker: Broker, app_name: str
) -> None:
    async with kafka_log(own_broker.bootstrap) as log:
        topic = await events(log, app_name, 2)
        async with reading(log, ((topic, 0), 0), ((topic, 1), 0)) as reader:
            await log.append(topic, 0, [entry("before")])
            assert values(await read(reader, 1)) == ["before"]
            pending = asyncio.ensure_future(reader.read(60))
            await asyncio.to_thread(own_broker.kill)
            await asyncio.to_thread(own_broker.start)
            await log.append(topic, 0, [entry("after")])
            assert values(await pending) == ["after"]
            await log.append(topic, 1, [entry("other")])
            assert values(await read(reader, 1)) == ["other"]


async def test_a_backlog_is_read_in_helpings(kafka: str, app_name: str) -> None:
    async with kafka_log(kafka) as log:
        topic = await events(log, app_name)
        many = [Entry(b"%d" % n, bytes(10_000)) for n in range(3000)]
        await log.append(topic, 0, many)
        async with reading(log, ((topic, 0), 0)) as reader:
            records = await reader.read(5.0)
            assert len(records) < len(many)
            await asyncio.sleep(1.0)  # let it fetch as much as it likes
            assert isinstance(reader, KafkaReader)
            assert sum(watch.size for watch in reader._watches.values()) < 16 << 20
            records += await read(reader, len(many) - len(records))
        assert [record.key for record in records] == [e.key for e in many]


async def test_a_paused_place_is_not_fetched_on_and_on(kafka: str, app_name: str) -> None:
    async with kafka_log(kafka, fetch_wait=0.02) as log:
        topic = await events(log, app_name)
        await log.append(topic, 0, [Entry(b"%d" % n, bytes(100_000)) for n in range(100)])
        async with reading(log, ((topic, 0), 0)) as reader:
            reader.pause((topic, 0))
            await asyncio.sleep(0.3)
            assert isinstance(reader, KafkaReader)
            held = reader._watches[topic, 0].size
            await asyncio.sleep(0.3)
            assert 0 < reader._watches[topic, 0].size == held
            reader.resume((topic, 0))
            assert [r.offset for r in await read(reader, 100)] == list(range(100))


async def test_a_paused_backlog_does_not_hold_up_others(kafka: str, app_name: str) -> None:
    async with kafka_log(kafka) as log:
        topic = await events(log, app_name, 2)
        await log.append(topic, 0, [Entry(b"%d" % n, bytes(100_000)) for n in range(300)])
        async with reading(log, ((topic, 0), 0), ((topic, 1), 0)) as reader:
            await asyncio.sleep(0.5)  # let it fetch as much as it likes
            reader.pause((topic, 0))
            await log.append(topic, 1, [entry("other")])
            assert values(await read(reader, 1)) == ["other"]


async def test_watching_a_topic_that_is_not_there(kafka: str, app_name: str) -> None:
    async with kafka_log(kafka) as log, reading(log, ((f"{app_name}.events", 0), 0)) as reader:
        with pytest.raises(TopicMissing, match="sagalog topics create"):
            await reader.read(5.0)


async def test_other_clients_may_compress_and_leave_headers_empty(
    kafka: str, app_name: str
) -> None:
    async with kafka_log(kafka) as log:
        topic = await events(log, app_name)
        async with AIOKafkaProducer(bootstrap_servers=kafka, compression_type="gzip") as other:
            for n in range(3):
                await other.send_and_wait(topic, b"%d" % n, headers=[("n", None)])
        async with reading(log, ((topic, 0), 1)) as reader:
            records = await read(reader, 2)
        assert values(records) == ["1", "2"]
        assert records[0].headers == (("n", b""),)


async def test_the_brokers_clock_stamps_records(kafka: str, app_name: str) -> None:
    async with kafka_log(kafka) as log:
        topic = await events(log, app_name)
        async with AIOKafkaProducer(bootstrap_servers=kafka) as other:
            await other.send_and_wait(topic, b"old", timestamp_ms=1)
        async with reading(log, ((topic, 0), 0)) as reader:
            (record,) = await read(reader, 1)
        assert record.timestamp > 1_700_000_000_000


LIMITS = FetchLimits(wait=0.1)


def listed(session: FetchSession, **wanted: int) -> bytes:
    """The request for these places, each the first partition of its topic."""
    return session.request({(topic, 0): at for topic, at in wanted.items()}).encode()


def test_in_a_session_requests_name_only_what_changed() -> None:
    session = FetchSession(LIMITS)
    first = listed(session, left=0, right=0)
    assert b"left" in first
    assert b"right" in first
    session.answered(Fetched(0, 17, []))
    assert b"left" not in listed(session, left=0, right=0)
    session.answered(Fetched(0, 17, []))
    moved = listed(session, left=5, right=0)
    assert b"left" in moved
    assert b"right" not in moved
    session.answered(Fetched(0, 17, []))
    assert b"right" in listed(session, left=5)  # among what is forgotten


def test_without_a_session_requests_name_everything() -> None:
    session = FetchSession(LIMITS)
    listed(session, left=0)
    session.answered(Fetched(0, 0, [Part(("left", 0), 0, 0, [], b"")]))
    assert b"left" in listed(session, left=0)


def test_a_lost_session_begins_anew() -> None:
    session = FetchSession(LIMITS)
    listed(session, left=0)
    session.answered(Fetched(0, 17, []))
    session.lost()
    assert b"left" in listed(session, left=0)
