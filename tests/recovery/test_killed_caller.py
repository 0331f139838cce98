"""kill -9 of a caller at each point of the critical path, on a file."""

from pathlib import Path

import pytest

from sagalog.streams.embedded import EmbeddedLog
from tests.recovery.caller import POINTS, Effects, make
from tests.recovery.killed_caller import WORK, caller, recovered
from tests.recovery.world import World


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS[1:])
async def test_a_killed_caller_s_work_is_done_once(tmp_path: Path, point: str) -> None:
    file = tmp_path / "sagas.db"
    async with World("orders", lambda: EmbeddedLog(file)) as world:
        pod = await world.pod(make("orders", tmp_path), recover_interval=0.2)
        async with caller(f"sqlite:{file}", "orders", tmp_path, point) as mine:
            await mine.dies(point)
        await pod.stop()
        await recovered(world, tmp_path)


async def test_killed_before_its_backup_nothing_has_happened(tmp_path: Path) -> None:
    file = tmp_path / "sagas.db"
    async with World("orders", lambda: EmbeddedLog(file)) as world:
        async with caller(f"sqlite:{file}", "orders", tmp_path, POINTS[0]) as mine:
            await mine.dies(POINTS[0])
        assert await world.records("backups") == []
        assert await world.kinds(WORK) == []
        assert Effects(tmp_path).lines() == []
