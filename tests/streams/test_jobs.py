"""Looking after a queue, on the embedded logs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.recovery.presence import Presence
from tests.recovery.pressing import Pressing
from tests.recovery.purging import Purging
from tests.recovery.standing import Standing
from tests.recovery.stopping import Stopping
from tests.recovery.world import World, file_world, memory_world


class TestJobsInMemory(Standing, Pressing, Purging, Presence, Stopping):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with memory_world() as world:
            yield world


class TestJobsOnAFile(Standing, Pressing, Purging, Presence, Stopping):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[World]:
        async with file_world(tmp_path) as world:
            yield world
