"""Clients on the embedded logs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.recovery.asking import Asking
from tests.recovery.critical import CriticalCalls
from tests.recovery.door import Door
from tests.recovery.limits import Limits
from tests.recovery.progressing import Progressing
from tests.recovery.queueing import Queueing
from tests.recovery.scheduling import Scheduling
from tests.recovery.world import World, file_world, memory_world


class TestClientsInMemory(Asking, Door):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with memory_world() as world:
            yield world


class TestClientsOnAFile(Asking, Door):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[World]:
        async with file_world(tmp_path) as world:
            yield world


class TestQueueInMemory(Queueing, Scheduling, Progressing):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with memory_world() as world:
            yield world


class TestQueueOnAFile(Queueing, Scheduling, Progressing):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[World]:
        async with file_world(tmp_path) as world:
            yield world


class TestLimitsInMemory(Limits):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with memory_world() as world:
            yield world


class TestLimitsOnAFile(Limits):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[World]:
        async with file_world(tmp_path) as world:
            yield world


class TestCriticalInMemory(CriticalCalls):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with memory_world() as world:
            yield world


class TestCriticalOnAFile(CriticalCalls):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[World]:
        async with file_world(tmp_path) as world:
            yield world
