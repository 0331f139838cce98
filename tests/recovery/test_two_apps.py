"""Two apps in two processes, on one embedded log."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sagalog.streams.embedded import EmbeddedLog
from tests.recovery.crew import Crew
from tests.recovery.crossing import Crossing, Stage
from tests.recovery.world import World


class TestTwoAppsOnAFile(Crossing):
    @pytest.fixture
    def stage(self, tmp_path: Path) -> Callable[[], Stage]:
        file = tmp_path / "both.db"

        def make() -> EmbeddedLog:
            return EmbeddedLog(file, fsync=False)

        @asynccontextmanager
        async def stage() -> AsyncIterator[tuple[World, World, Crew]]:
            async with (
                World("orders", make) as here,
                World("orders-there", make, partitions=3) as there,
                Crew(f"sqlite:{file}", "orders", tmp_path) as crew,
            ):
                yield here, there, crew

        return stage
