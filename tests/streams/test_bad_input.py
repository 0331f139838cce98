"""Bad input on the embedded logs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.recovery.bad_input import BadInput
from tests.recovery.bad_results import LIMIT, BadResults
from tests.recovery.world import World, file_world, memory_world


class TestBadInputInMemory(BadInput, BadResults):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with memory_world() as world:
            yield world

    @pytest.fixture
    async def small(self) -> AsyncIterator[World]:
        async with memory_world(LIMIT) as world:
            yield world


class TestBadInputOnAFile(BadInput, BadResults):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[World]:
        async with file_world(tmp_path) as world:
            yield world

    @pytest.fixture
    async def small(self, tmp_path: Path) -> AsyncIterator[World]:
        async with file_world(tmp_path, LIMIT) as world:
            yield world
