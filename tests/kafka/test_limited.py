"""A limit over two pods on a real Kafka, which are killed while they hold permits."""

from pathlib import Path

import pytest

from tests.kafka.test_recovery import stage
from tests.recovery.limited import PACE, kill_owners


@pytest.mark.slow
@pytest.mark.parametrize("anew", [True, False])
async def test_what_a_killed_pod_held_comes_back(
    kafka: str, app_name: str, tmp_path: Path, *, anew: bool
) -> None:
    async with stage(kafka, app_name, tmp_path) as (world, crew):
        workers = [await crew.start(member, *PACE) for member in "abc"]
        await kill_owners(world, crew, workers[:2], anew=anew)
