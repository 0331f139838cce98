"""From an address to an open log with the app's topics on it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sagalog.schemas.topics import Topics
from sagalog.streams.embedded import EmbeddedLog, MemoryLog
from sagalog.streams.errors import LogUnavailable, TopicMissing
from sagalog.streams.log import Log


def embedded(url: str) -> bool:
    """Whether the address is a log in a file or in memory, which needs no broker."""
    return not url.startswith("kafka:")


def log_at(url: str) -> Log:
    """The log of an address, not opened yet. Raises LogUnavailable for an unknown kind."""
    kind, _, rest = url.partition(":")
    if kind == "kafka":
        # Not at the top: aiokafka is slow to import, and an embedded log does without it.
        from sagalog.streams.kafka import KafkaLog, KafkaSettings  # noqa: PLC0415

        try:
            return KafkaLog(KafkaSettings.from_url(url))
        except ValueError as error:
            raise LogUnavailable(str(error)) from error
    if kind == "sqlite":
        return EmbeddedLog(rest.removeprefix("//") or "sagalog.db")
    if kind == "memory":
        return MemoryLog()
    raise LogUnavailable(
        f"{url!r} is no address of a log. Use sqlite:FILE, memory: or kafka://HOST:PORT."
    )


async def _count(log: Log, app: str) -> int:
    """The partitions that the app has already, which are fixed for life; 0 for a new one."""
    try:
        return await log.partitions(Topics(app).events)
    except TopicMissing:
        return 0


@asynccontextmanager
async def opened(url: str, app: str, *, partitions: int) -> AsyncGenerator[Log]:
    """The log of an address, open for as long as the block lasts.

    An embedded log gets the app's topics at once; on Kafka they are made by
    `sagalog topics create`, since their number of partitions is fixed for life.
    """
    log = log_at(url)
    await log.open()
    try:
        if embedded(url):
            await log.create(Topics(app).specs(await _count(log, app) or partitions))
        yield log
    finally:
        await log.close()
