"""What only Kafka can do to us: transactions of others, headers without values, no broker."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from sagalog.engine import App
from sagalog.schemas import codec
from sagalog.schemas.deadletters import PoisonRecord
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Entry
from sagalog.schemas.requests import RunOperation
from sagalog.streams import LogUnavailable
from sagalog.streams.kafka import KafkaLog, KafkaSettings
from tests.kafka.broker import Broker
from tests.recovery.bad_input import NO_REQUESTS
from tests.recovery.kafka_world import kafka_world
from tests.recovery.shop import Order, Shop
from tests.recovery.world import PATIENCE, World, eventually


@pytest.fixture
async def world(kafka: str, app_name: str) -> AsyncIterator[World]:
    async with kafka_world(kafka, app_name) as world:
        yield world


@pytest.fixture
async def shop(world: World) -> Shop:
    shop = Shop(world.name)
    await world.pod(shop.app)
    return shop


def request(subject: str, name: str = "charge") -> bytes:
    return codec.encode(
        RunOperation(name, {}, "f"), id="r", source="java", subject=subject, now=1_000
    )


async def transaction(
    kafka: str, world: World, topic: str, value: bytes, key: str, *, commit: bool
) -> None:
    """One record in a transaction of another client."""
    number = partition_of(key.encode(), world.partitions)
    async with AIOKafkaProducer(
        bootstrap_servers=kafka, transactional_id=f"{world.name}-java"
    ) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(f"{world.name}.{topic}", value, key.encode(), number)
        await (producer.commit_transaction() if commit else producer.abort_transaction())


async def _poison(world: World) -> list[PoisonRecord]:
    letters = [letter.data for letter in await world.messages("deadletters")]
    return [letter for letter in letters if isinstance(letter, PoisonRecord)]


async def _has(world: World, instance: str, kind: str) -> bool:
    return kind in await world.kinds(instance)


@pytest.mark.parametrize("commit", [True, False], ids=["committed", "aborted"])
@pytest.mark.parametrize("topic", ["events", "normal", "compensations", "replies"])
async def test_transactions_of_others_leave_gaps_that_stop_nobody(
    kafka: str, world: World, shop: Shop, topic: str, commit: bool
) -> None:
    client = await world.client(shop.app)
    for key in ("x", "y", "z"):
        await transaction(kafka, world, topic, b"no message", key, commit=commit)
    await shop.all_well(world, client)


async def test_a_request_in_a_committed_transaction_is_served(
    kafka: str, world: World, shop: Shop
) -> None:
    await transaction(kafka, world, "normal", request("x"), "x", commit=True)
    await eventually(lambda: _has(world, "x", "Completed"))


@pytest.mark.xfail(strict=True, reason="P19: lanes are read uncommitted")
async def test_a_request_in_an_aborted_transaction_is_not_served(
    kafka: str, world: World, shop: Shop
) -> None:
    await transaction(kafka, world, "normal", request("x"), "x", commit=False)
    await transaction(kafka, world, "normal", request("y"), "y", commit=True)
    await shop.all_well(world, await world.client(shop.app))
    await eventually(lambda: _has(world, "y", "Completed"))
    assert await world.kinds("x") == []


@pytest.mark.parametrize("topic", ["normal", "events"])
async def test_headers_of_any_kind_stop_nobody(
    kafka: str, world: World, shop: Shop, topic: str
) -> None:
    headers: list[tuple[str, Any]] = [("trace", b"\xff"), ("", b""), ("null", None), ("ä", b"x")]
    partition = partition_of(b"x", world.partitions)
    name = f"{world.name}.{topic}"
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        await producer.send_and_wait(name, b"poison", b"x", partition, headers=headers)
        if topic == "normal":
            await producer.send_and_wait(name, request("x"), b"x", partition, headers=headers)
    await shop.all_well(world, await world.client(shop.app))
    letters = await eventually(lambda: _poison(world))
    assert [letter.topic for letter in letters] == [name]
    if topic == "normal":
        await eventually(lambda: _has(world, "x", "Completed"))


async def test_a_table_with_foreign_rows_stops_its_own_partition_at_most(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    shop = Shop(world.name)
    pod = await world.pod(shop.app)
    await shop.all_well(world, await world.client(shop.app))
    await pod.stop()
    for value in NO_REQUESTS.values():
        await world.put("tables", b"\xff\xfe", value, 0)
        await world.put("tables", b"foreign", value, 0)
    again = await world.pod(App(world.name))

    async def decided() -> bool:
        goes_on = 0 in again.owners or "partition stopped" in caplog.text
        return 1 in again.owners and (goes_on or "cannot be taken" in caplog.text)

    await eventually(decided)


@pytest.mark.slow
async def test_a_broker_that_is_away_is_said_and_waited_for(
    own_broker: Broker, app_name: str
) -> None:
    """Open, append, start and stop, each while no broker answers."""
    impatient = KafkaLog(KafkaSettings(bootstrap_servers=(own_broker.bootstrap,), open_timeout=0.5))
    async with kafka_world(own_broker.bootstrap, app_name) as world:
        shop = Shop(world.name)
        pod = await world.pod(shop.app, give_up_timeout=0.5)
        client = await world.client(shop.app)
        await (await client.start(shop.order, Order(), key="a")).result(PATIENCE)
        await asyncio.to_thread(own_broker.kill)
        with pytest.raises(LogUnavailable, match=f"no broker answers at {own_broker.bootstrap}"):
            await impatient.open()
        await impatient.close()
        opening = asyncio.create_task(world.open_log())
        starting = asyncio.create_task(client.start(shop.order, Order(), key="b"))
        appending = asyncio.ensure_future(
            world.log.append(world.topics.deadletters, 0, [Entry(b"k", b"v")])
        )
        await asyncio.sleep(1)
        assert not starting.done()
        assert not appending.done()
        await asyncio.to_thread(own_broker.start)
        log = await asyncio.wait_for(opening, 20)
        assert await asyncio.wait_for(appending, 20) == 0
        handle = await asyncio.wait_for(starting, 20)
        assert (await handle.result(20)).status == "completed"
        assert await log.partitions(world.topics.events) == world.partitions
        await asyncio.to_thread(own_broker.kill)
        before = asyncio.get_running_loop().time()
        await asyncio.wait_for(pod.stop(), 30)
        assert asyncio.get_running_loop().time() - before < 10
