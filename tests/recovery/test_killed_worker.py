"""A worker on an embedded log is killed again and again; every saga ends once, and as it should."""

from pathlib import Path

import pytest

from sagalog.streams.embedded import EmbeddedLog
from tests.recovery.crew import Crew
from tests.recovery.kills import Load
from tests.recovery.limited import PACE, kill_owners
from tests.recovery.world import World


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11])
async def test_every_saga_ends_once_although_its_worker_is_killed(
    tmp_path: Path, seed: int
) -> None:
    file = tmp_path / "sagas.db"
    async with (
        World("orders", lambda: EmbeddedLog(file, fsync=False)) as world,
        Crew(f"sqlite:{file}", "orders", tmp_path) as crew,
    ):
        load = Load(world, crew, seed, sagas=200)
        await load.start()
        worker = await crew.start("a")
        for kill in range(6):
            await load.more(load.chance.randint(20, 200))
            load.work_remains()
            await worker.cut()
            worker = await crew.start("a" if kill % 2 else f"b{kill}")
        await load.end()
        await load.rest()
        await worker.stop()
        await load.judge()
        await load.tables()


@pytest.mark.slow
async def test_what_a_killed_worker_held_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "sagas.db"
    async with (
        World("orders", lambda: EmbeddedLog(file, fsync=False)) as world,
        Crew(f"sqlite:{file}", "orders", tmp_path) as crew,
    ):
        worker = await crew.start("a", *PACE)
        await kill_owners(world, crew, [worker], anew=True)
