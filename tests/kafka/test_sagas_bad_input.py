"""Bad input on a real Kafka, and what only Kafka can do to us."""

from collections.abc import AsyncIterator

import pytest

from tests.recovery.bad_input import BadInput
from tests.recovery.bad_results import LIMIT, BadResults
from tests.recovery.kafka_world import kafka_world
from tests.recovery.world import World


class TestBadInputOnKafka(BadInput, BadResults):
    @pytest.fixture
    async def world(self, kafka: str, app_name: str) -> AsyncIterator[World]:
        async with kafka_world(kafka, app_name) as world:
            yield world

    @pytest.fixture
    async def small(self, kafka: str, app_name: str) -> AsyncIterator[World]:
        async with kafka_world(kafka, app_name, limit=LIMIT) as world:
            yield world
