"""Looking after a queue, on a real Kafka."""

from collections.abc import AsyncIterator

import pytest

from tests.recovery.kafka_world import kafka_world
from tests.recovery.presence import Presence
from tests.recovery.pressing import Pressing
from tests.recovery.purging import Purging
from tests.recovery.standing import Standing
from tests.recovery.stopping import Stopping
from tests.recovery.world import World


class TestJobsOnKafka(Standing, Pressing, Purging, Presence, Stopping):
    @pytest.fixture
    async def world(self, kafka: str, app_name: str) -> AsyncIterator[World]:
        async with kafka_world(kafka, app_name) as world:
            yield world
