"""A world on a real Kafka."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sagalog.streams.kafka import KafkaLog, KafkaSettings
from tests.recovery.world import World


@asynccontextmanager
async def kafka_world(
    bootstrap: str, name: str, *, partitions: int = 2, limit: int = 0, **settings: Any
) -> AsyncIterator[World]:
    """A world on a broker; `settings` are those of KafkaSettings."""

    def make() -> KafkaLog:
        return KafkaLog(KafkaSettings(bootstrap_servers=(bootstrap,), **settings))

    async with World(name, make, partitions=partitions, limit=limit) as world:
        yield world
