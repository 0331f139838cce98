"""The embedded logs keep the contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sagalog.streams.embedded import EmbeddedLog, MemoryLog
from sagalog.streams.embedded.pace import Pace
from tests.contracts.log_contract import LogContract


class TestEmbeddedLog(LogContract):
    @pytest.fixture
    async def log(self, tmp_path: Path) -> AsyncIterator[EmbeddedLog]:
        log = EmbeddedLog(tmp_path / "contract.db")
        await log.open()
        yield log
        await log.close()


class TestEmbeddedLogOnASlowDisk(TestEmbeddedLog):
    @pytest.fixture(autouse=True)
    def slow_disk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Pace, "on_loop", lambda self, weight: False)


class TestMemoryLog(LogContract):
    @pytest.fixture
    async def log(self) -> AsyncIterator[MemoryLog]:
        log = MemoryLog()
        await log.open()
        yield log
        await log.close()
