"""Pauses on a real Kafka."""

from collections.abc import AsyncIterator

import pytest

from tests.recovery.breaking import Breaking
from tests.recovery.kafka_world import kafka_world
from tests.recovery.pausing import Pausing
from tests.recovery.world import World


class TestPausesOnKafka(Pausing, Breaking):
    @pytest.fixture
    async def world(self, kafka: str, app_name: str) -> AsyncIterator[World]:
        async with kafka_world(kafka, app_name) as world:
            yield world
