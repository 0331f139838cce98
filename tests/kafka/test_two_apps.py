"""Two apps in two processes over real topics, and steps spread over two pods of one app."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.recovery.crew import Crew
from tests.recovery.crossing import Crossing, Stage
from tests.recovery.kafka_world import kafka_world
from tests.recovery.kills import Load
from tests.recovery.world import World


class TestTwoAppsOnKafka(Crossing):
    @pytest.fixture
    def stage(self, kafka: str, app_name: str, tmp_path: Path) -> Callable[[], Stage]:
        @asynccontextmanager
        async def stage() -> AsyncIterator[tuple[World, World, Crew]]:
            async with (
                kafka_world(kafka, app_name) as here,
                kafka_world(kafka, f"{app_name}-there", partitions=3) as there,
                Crew(f"kafka://{kafka}", app_name, tmp_path) as crew,
            ):
                yield here, there, crew

        return stage


@pytest.mark.slow
async def test_steps_are_spread_over_two_pods_of_which_one_dies(
    kafka: str, app_name: str, tmp_path: Path
) -> None:
    async with (
        kafka_world(kafka, app_name, partitions=4) as world,
        Crew(f"kafka://{kafka}", app_name, tmp_path, session=2.0) as crew,
    ):
        load = Load(world, crew, 32, sagas=120)
        await load.start("spread")
        first, second = await asyncio.gather(crew.start("a"), crew.start("b"))
        await load.more(150)
        load.work_remains()
        await first.cut()
        await load.end()
        await load.rest()
        await second.stop()
        await load.judge()
        await load.tables()
