"""Two apps, and spread steps, on the embedded logs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.recovery.two_apps import TwoApps
from tests.recovery.world import World, file_world, memory_world


class TestTwoAppsInMemory(TwoApps):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with memory_world() as world:
            yield world


class TestTwoAppsOnAFile(TwoApps):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[World]:
        async with file_world(tmp_path) as world:
            yield world
