"""Pauses on the embedded logs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.recovery.breaking import Breaking
from tests.recovery.pausing import Pausing
from tests.recovery.world import World, file_world, memory_world


class TestPausesInMemory(Pausing, Breaking):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with memory_world() as world:
            yield world


class TestPausesOnAFile(Pausing, Breaking):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[World]:
        async with file_world(tmp_path) as world:
            yield world
