"""The contract over a real Kafka."""

from collections.abc import AsyncIterator

import pytest

from sagalog.streams.kafka import KafkaLog, KafkaSettings
from tests.contracts.log_contract import LogContract


class TestKafkaLog(LogContract):
    @pytest.fixture
    async def log(self, kafka: str) -> AsyncIterator[KafkaLog]:
        log = KafkaLog(KafkaSettings.from_url(f"kafka://{kafka}", {}))
        await log.open()
        yield log
        await log.close()
