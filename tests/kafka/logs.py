"""Kafka logs for tests, and what they read and write with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sagalog.schemas.record import Entry, Record
from sagalog.schemas.topics import TopicSpec
from sagalog.streams.kafka import KafkaLog, KafkaSettings
from sagalog.streams.log import Place

STAMPED = {"message.timestamp.type": "LogAppendTime"}


@asynccontextmanager
async def kafka_log(bootstrap: str, **settings: Any) -> AsyncIterator[KafkaLog]:
    """An opened log."""
    log = KafkaLog(KafkaSettings(bootstrap_servers=(bootstrap,), **settings))
    await log.open()
    try:
        yield log
    finally:
        await log.close()


async def events(log: KafkaLog, app: str, partitions: int = 1, **settings: str) -> str:
    """A new topic of events; `settings` with underscores for dots."""
    name = f"{app}.events"
    dotted = {key.replace("_", "."): value for key, value in settings.items()}
    await log.create([TopicSpec(name, partitions, STAMPED | dotted)])
    return name


async def tables(log: KafkaLog, app: str, partitions: int = 1) -> str:
    """A new topic of tables."""
    name = f"{app}.tables"
    await log.create([TopicSpec(name, partitions, {"cleanup.policy": "compact"})])
    return name


async def content(log: KafkaLog, place: Place) -> list[Record]:
    """Everything in a place."""
    end = (await log.ends([place]))[place]
    records: list[Record] = []
    reader = log.reader()
    reader.watch(place, 0)
    while not records or records[-1].offset < end - 1:
        records += await reader.read(1.0)
    await reader.close()
    return records


def entry(value: str) -> Entry:
    return Entry(b"key", value.encode())


def text(record: Record) -> str:
    assert record.value is not None
    return record.value.decode()
