"""Rule 2 of the protocol on a real broker: a checkpoint is one transaction, and is fenced."""

import asyncio
from functools import partial

import pytest

from sagalog.schemas.record import Entry
from sagalog.streams.errors import Fenced, LogError, LogUnavailable, RecordTooLarge
from sagalog.streams.kafka.batches import encode
from sagalog.streams.kafka.checkpoints import KafkaCheckpoints
from sagalog.streams.kafka.retry import persist
from tests.contracts.probes import read, reading, values
from tests.kafka.broker import Broker
from tests.kafka.logs import kafka_log, tables

ROWS = [Entry(b"a", b"zombie"), Entry(b"b", b"zombie")]


async def stop_before_commit(table: KafkaCheckpoints) -> None:
    """Do all of a write but its commit, as an owner who dies or freezes there."""
    payload = encode(ROWS, table._identity, table._sequence, transactional=True)
    for step in (table._begin, partial(table._append, payload)):
        await persist(step, timeout=5, doing="stopping half-way")


async def test_rule_2_a_zombies_checkpoint_is_refused_and_never_seen(
    kafka: str, app_name: str
) -> None:
    async with kafka_log(kafka) as old_pod, kafka_log(kafka) as new_pod:
        topic = await tables(new_pod, app_name)
        zombie = await old_pod.checkpoints(topic, 0)
        await zombie.write([Entry(b"a", b"good")])
        await stop_before_commit(zombie)
        owner = await new_pod.checkpoints(topic, 0)
        assert await owner.restore() == {b"a": b"good"}
        with pytest.raises(Fenced):
            await zombie._commit()
        with pytest.raises(Fenced, match="taken by another owner"):
            await zombie.write(ROWS)
        await owner.write([Entry(b"c", b"good")])
        assert await owner.restore() == {b"a": b"good", b"c": b"good"}
        async with reading(new_pod, ((topic, 0), 0)) as reader:
            in_the_log = values(await read(reader, 4))
        assert in_the_log == ["good", "zombie", "zombie", "good"]


async def test_what_a_dead_owner_did_not_commit_is_not_restored(kafka: str, app_name: str) -> None:
    async with kafka_log(kafka) as log:
        topic = await tables(log, app_name)
        for _ in range(3):
            dead = await log.checkpoints(topic, 0)
            await stop_before_commit(dead)
        owner = await log.checkpoints(topic, 0)
        assert await owner.restore() == {}
        await owner.write(ROWS)
        assert await owner.restore() == {row.key: row.value for row in ROWS}


async def test_a_fenced_owner_stays_fenced(kafka: str, app_name: str) -> None:
    async with kafka_log(kafka) as log:
        topic = await tables(log, app_name)
        older = await log.checkpoints(topic, 0)
        await log.checkpoints(topic, 0)
        for _ in range(2):
            with pytest.raises(Fenced):
                await older.write(ROWS)


async def test_owners_of_other_partitions_are_not_fenced(kafka: str, app_name: str) -> None:
    async with kafka_log(kafka) as log:
        topic = await tables(log, app_name, 2)
        left = await log.checkpoints(topic, 0)
        await log.checkpoints(topic, 1)
        await left.write(ROWS)


async def test_a_row_over_the_limit_ends_nothing(kafka: str, app_name: str) -> None:
    async with kafka_log(kafka, max_record_bytes=100_000) as log:
        topic = await tables(log, app_name)
        table = await log.checkpoints(topic, 0)
        with pytest.raises(RecordTooLarge, match="100000"):
            await table.write([*ROWS, Entry(b"c", bytes(200_000))])
        assert await table.restore() == {}
        await table.write(ROWS)


async def test_a_row_over_the_topics_limit_writes_nothing(kafka: str, app_name: str) -> None:
    async with kafka_log(kafka) as log:
        topic = await tables(log, app_name)
        table = await log.checkpoints(topic, 0)
        with pytest.raises(RecordTooLarge, match=f"max.message.bytes of {topic}"):
            await table.write([*ROWS, Entry(b"c", bytes(2_000_000))])
        assert await (await log.checkpoints(topic, 0)).restore() == {}


async def test_a_cancelled_checkpoint_ends_the_table(kafka: str, app_name: str) -> None:
    async with kafka_log(kafka) as log:
        topic = await tables(log, app_name)
        table = await log.checkpoints(topic, 0)
        writing = asyncio.ensure_future(table.write(ROWS))
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        with pytest.raises(LogUnavailable, match="cancelled"):
            await table.write(ROWS)


@pytest.mark.slow
async def test_a_broker_killed_in_a_checkpoint_leaves_all_or_nothing(
    own_broker: Broker, app_name: str
) -> None:
    async with kafka_log(own_broker.bootstrap) as log:
        topic = await tables(log, app_name)
        table = await log.checkpoints(topic, 0)
        rows = [Entry(b"%d" % n, bytes(1000)) for n in range(5000)]
        writing = asyncio.ensure_future(table.write(rows))
        await asyncio.sleep(0.03)
        await asyncio.to_thread(own_broker.kill)
        await asyncio.to_thread(own_broker.start)
        failure = (await asyncio.gather(writing, return_exceptions=True))[0]
        assert failure is None or isinstance(failure, LogError)
        restored = await (await log.checkpoints(topic, 0)).restore()
        assert len(restored) == len(rows) or (failure is not None and restored == {})
