"""The scenarios of the embedded logs, on a real Kafka."""

from collections.abc import AsyncIterator

import pytest

from tests.recovery.asking import Asking
from tests.recovery.giving_up import GivingUp
from tests.recovery.kafka_world import kafka_world
from tests.recovery.queueing import Queueing
from tests.recovery.scheduling import Scheduling
from tests.recovery.two_apps import TwoApps
from tests.recovery.working import Working
from tests.recovery.world import World


class TestClientsOnKafka(Asking):
    @pytest.fixture
    async def world(self, kafka: str, app_name: str) -> AsyncIterator[World]:
        async with kafka_world(kafka, app_name) as world:
            yield world


class TestPodsOnKafka(Working, GivingUp):
    @pytest.fixture
    async def world(self, kafka: str, app_name: str) -> AsyncIterator[World]:
        async with kafka_world(kafka, app_name) as world:
            yield world


class TestTwoAppsOnKafka(TwoApps):
    @pytest.fixture
    async def world(self, kafka: str, app_name: str) -> AsyncIterator[World]:
        async with kafka_world(kafka, app_name) as world:
            yield world


class TestQueueOnKafka(Queueing, Scheduling):
    @pytest.fixture
    async def world(self, kafka: str, app_name: str) -> AsyncIterator[World]:
        async with kafka_world(kafka, app_name) as world:
            yield world
