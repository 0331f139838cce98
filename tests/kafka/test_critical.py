"""The critical path on a real broker: callers that are killed, and a broker that is away."""

import asyncio
from pathlib import Path

import pytest

from tests.kafka.broker import Broker
from tests.recovery.caller import POINTS, make
from tests.recovery.kafka_world import kafka_world
from tests.recovery.killed_caller import caller, recovered
from tests.recovery.world import World


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS[1:])
async def test_a_killed_caller_s_work_is_done_once(
    kafka: str, app_name: str, tmp_path: Path, point: str
) -> None:
    async with kafka_world(kafka, app_name) as world:
        pod = await world.pod(make(app_name, tmp_path), recover_interval=0.2)
        async with caller(f"kafka://{kafka}", app_name, tmp_path, point) as mine:
            await mine.dies(point)
        await pod.stop()
        await recovered(world, tmp_path)


AWAY = ("backup", "in the effect", "effect", "result", "what follows", "told")
"""The points that are passed without a log."""


async def _back(world: World, broker: Broker, folder: Path) -> None:
    await asyncio.to_thread(broker.start)
    await recovered(world, folder)


@pytest.mark.slow
@pytest.mark.parametrize("point", AWAY)
async def test_kafka_is_away_and_the_caller_is_killed(
    own_broker: Broker, app_name: str, tmp_path: Path, point: str
) -> None:
    """What stands in the spool is published by the next client, and done once."""
    async with kafka_world(own_broker.bootstrap, app_name) as world:
        url = f"kafka://{own_broker.bootstrap}"
        async with caller(url, app_name, tmp_path, point, "--patience", "0.5") as mine:
            await asyncio.to_thread(own_broker.kill)
            await mine.dies(point)
        await _back(world, own_broker, tmp_path)


@pytest.mark.slow
async def test_kafka_is_away_and_the_caller_is_told_of_success_all_the_same(
    own_broker: Broker, app_name: str, tmp_path: Path
) -> None:
    """It is killed behind its answer, and its log with it."""
    async with kafka_world(own_broker.bootstrap, app_name) as world:
        url = f"kafka://{own_broker.bootstrap}"
        more = ("--patience", "0.5", "--linger")
        async with caller(url, app_name, tmp_path, "never", *more) as mine:
            await asyncio.to_thread(own_broker.kill)
            mine.go()
            assert await mine.says() == "done: receipt for 7 False spooled"
        await _back(world, own_broker, tmp_path)


@pytest.mark.slow
async def test_who_lives_on_publishes_its_spool_itself(
    own_broker: Broker, app_name: str, tmp_path: Path
) -> None:
    async with kafka_world(own_broker.bootstrap, app_name) as world:
        url = f"kafka://{own_broker.bootstrap}"
        more = ("--patience", "0.5", "--linger")
        async with caller(url, app_name, tmp_path, "never", *more) as mine:
            await asyncio.to_thread(own_broker.kill)
            mine.go()
            assert await mine.says() == "done: receipt for 7 False spooled"
            await _back(world, own_broker, tmp_path)
