"""The scenarios of the embedded logs, on a real Kafka."""

from collections.abc import AsyncIterator

import pytest

from tests.recovery.asking import Asking
from tests.recovery.critical import CriticalCalls
from tests.recovery.giving_up import GivingUp
from tests.recovery.kafka_world import kafka_world
from tests.recovery.limits import Limits
from tests.recovery.progressing import Progressing
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


class TestQueueOnKafka(Queueing, Scheduling, Progressing):
    @pytest.fixture
    async def world(self, kafka: str, app_name: str) -> AsyncIterator[World]:
        async with kafka_world(kafka, app_name) as world:
            yield world


class TestLimitsOnKafka(Limits):
    pods = 2

    @pytest.fixture
    async def world(self, kafka: str, app_name: str) -> AsyncIterator[World]:
        async with kafka_world(kafka, app_name, partitions=4) as world:
            yield world


class TestCriticalOnKafka(CriticalCalls):
    @pytest.fixture
    async def world(self, kafka: str, app_name: str) -> AsyncIterator[World]:
        async with kafka_world(kafka, app_name) as world:
            yield world
