"""Workers on a real Kafka die, join, leave and freeze; every saga ends once, and as it should."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.envelope import Envelope
from tests.kafka.broker import Broker
from tests.recovery.crew import Crew
from tests.recovery.kafka_world import kafka_world
from tests.recovery.kills import Load
from tests.recovery.world import World, eventually

SESSION = 2.0
"""Seconds without a heartbeat after which a member's partitions move."""

Stage = tuple[World, Crew]


@asynccontextmanager
async def stage(
    bootstrap: str, name: str, folder: Path, *, partitions: int = 4
) -> AsyncIterator[Stage]:
    async with (
        kafka_world(bootstrap, name, partitions=partitions) as world,
        Crew(f"kafka://{bootstrap}", name, folder, session=SESSION) as crew,
    ):
        yield world, crew


async def owners(world: World) -> dict[int, str]:
    """Who took each partition last."""
    last: dict[int, str] = {}
    for record in await world.records("events"):
        if b"sagalog.partition.taken" in (record.value or b""):
            last[record.partition] = (record.key or b"").decode()
    return last


async def taken_anew(world: World, before: dict[int, str], count: int) -> dict[int, str]:
    """Wait until so many partitions have another owner than before."""

    async def look() -> dict[int, str]:
        now = await owners(world)
        return now if sum(now[n] != before.get(n) for n in now) >= count else {}

    return await eventually(look)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [21])
async def test_every_saga_ends_once_although_its_worker_is_killed(
    kafka: str, app_name: str, tmp_path: Path, seed: int
) -> None:
    """It comes back under its own name, so nobody waits for its session to end."""
    async with stage(kafka, app_name, tmp_path) as (world, crew):
        load = Load(world, crew, seed, sagas=200)
        await load.start()
        worker = await crew.start("a")
        for _ in range(5):
            await load.more(load.chance.randint(20, 150))
            load.work_remains()
            before = await owners(world)
            await worker.cut()
            worker = await crew.start("a")
            await asyncio.wait_for(taken_anew(world, before, world.partitions), SESSION)
        await load.end()
        await load.rest()
        await worker.stop()
        await load.judge()
        await load.tables()


@pytest.mark.slow
async def test_pods_die_join_and_leave_while_the_others_go_on(
    kafka: str, app_name: str, tmp_path: Path
) -> None:
    slowly = ("--slots", "4", "--pace", "0.02")
    async with stage(kafka, app_name, tmp_path) as (world, crew):
        load = Load(world, crew, 5, sagas=200)
        await load.start()
        first, second = await asyncio.gather(crew.start("a", *slowly), crew.start("b", *slowly))
        await load.more(100)
        load.work_remains()
        before = await owners(world)
        await first.cut()
        await taken_anew(world, before, world.partitions // 2)
        before = await owners(world)
        third = await crew.start("c", *slowly)
        await taken_anew(world, before, world.partitions // 2)
        await load.more(50)
        load.work_remains()
        await second.stop()
        await load.end()
        await load.rest()
        await third.stop()
        await load.judge()
        await load.tables()


async def late_facts(world: World) -> int:
    """How many facts were written by an owner behind the take of the next one."""
    late, last = 0, dict[int, str]()
    for record in await world.records("events"):
        message = codec.decode(record.value)
        assert isinstance(message, Envelope)
        if isinstance(message.data, f.Taken):
            last[record.partition] = message.source
        else:
            late += message.source != last[record.partition]
    return late


@pytest.mark.slow
@pytest.mark.parametrize("successor", ["b", "a"], ids=["another", "a namesake"])
async def test_a_frozen_owner_that_wakes_up_changes_nothing(
    kafka: str, app_name: str, tmp_path: Path, successor: str
) -> None:
    """Another member has its partitions when its session is over; a namesake has them at once."""
    async with stage(kafka, app_name, tmp_path) as (world, crew):
        load = Load(world, crew, 6, sagas=200)
        await load.start()
        sleeper = await crew.start("a")
        await load.more(150)
        load.work_remains()
        sleeper.freeze()
        before = await owners(world)
        other = await crew.start(successor)
        await taken_anew(world, before, world.partitions)
        await load.more(100)
        sleeper.thaw()
        await load.end()
        await load.rest()
        assert await late_facts(world) > 0, "void: nothing came late"
        await asyncio.gather(sleeper.stop(), other.stop())
        await load.judge()
        await load.tables()


@pytest.mark.slow
async def test_every_saga_ends_once_although_the_broker_is_killed(
    own_broker: Broker, app_name: str, tmp_path: Path
) -> None:
    async with stage(own_broker.bootstrap, app_name, tmp_path) as (world, crew):
        load = Load(world, crew, 7, sagas=200)
        await load.start()
        worker = await crew.start("a")
        await load.more(150)
        load.work_remains()
        await asyncio.to_thread(own_broker.kill)
        await asyncio.to_thread(own_broker.start)
        await load.end()
        await load.rest()
        await worker.stop()
        await load.judge(cut_short=False)
        await load.tables()


@pytest.mark.slow
async def test_a_pod_ends_in_time_although_its_broker_is_away(
    own_broker: Broker, app_name: str, tmp_path: Path
) -> None:
    """L6: what it could not append or give up in order is done by whoever comes next."""
    async with stage(own_broker.bootstrap, app_name, tmp_path) as (world, crew):
        load = Load(world, crew, 8, sagas=200)
        await load.start()
        worker = await crew.start("a", "--pace", "0.05")
        await load.more(60)
        load.work_remains()
        await asyncio.to_thread(own_broker.kill)
        await worker.stop()
        await asyncio.to_thread(own_broker.start)
        again = await crew.start("a")
        await load.end()
        await load.rest()
        await again.stop()
        await load.judge(cut_short=False)
