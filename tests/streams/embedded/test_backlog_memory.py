"""What waits costs its owner no memory: the backlog stays in the log."""

import asyncio
import gc
from pathlib import Path

from sagalog.engine import App
from sagalog.schemas.codec import encode
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Entry
from sagalog.schemas.requests import RunOperation
from sagalog.schemas.topics import Topics
from sagalog.streams import Pod, PodSettings
from sagalog.streams.embedded import EmbeddedLog
from sagalog.streams.surroundings import wall_clock
from tests.recovery.world import eventually

QUEUED, AT_ONCE = 200_000, 5000
PARTITIONS = 4
PAGE = 4096
MOST = 40 * 1024 * 1024
"""What the owner may grow by. The records of the backlog alone have three times as much."""


def resident() -> int:
    """This process's resident memory in bytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


async def fill(log: EmbeddedLog) -> int:
    """Queue so many operations; the bytes of their requests."""
    request, size = RunOperation("work", "x" * 300, "f", priority="low"), 0
    like = encode(request, id="r", source="t", subject="operation-?", now=wall_clock())
    for first in range(0, QUEUED, AT_ONCE):
        places: dict[int, list[Entry]] = {}
        for n in range(first, first + AT_ONCE):
            key = b"operation-%d" % n
            value = like.replace(b"operation-?", key)
            places.setdefault(partition_of(key, PARTITIONS), []).append(Entry(key, value))
            size += len(value)
        for number, entries in places.items():
            await log.append("shop.low", number, entries)
    return size


async def test_two_hundred_thousand_queued_operations_leave_the_owner_s_memory_flat(
    tmp_path: Path,
) -> None:
    log = EmbeddedLog(tmp_path / "queue.db", fsync=False)
    await log.open()
    await log.create(Topics("shop").specs(PARTITIONS))
    app, let_go, done = App("shop"), asyncio.Semaphore(0), 0

    @app.operation
    async def work(_: str) -> None:
        nonlocal done
        await let_go.acquire()
        done += 1

    size = await fill(log)
    assert size > 2.5 * MOST
    before = resident()
    pod = Pod(app, log, member="a", settings=PodSettings(slots=64, give_up_timeout=0.1))
    await pod.start()

    async def full() -> bool:
        return pod.stats().running == 64 and pod.stats().unread["low"] > 0

    await eventually(full)
    for _ in range(2000):
        let_go.release()

    async def worked() -> bool:
        return done == 2000 and pod.stats().running == 64

    await eventually(worked, patience=30)
    stats, grown = pod.stats(), resident() - before
    await pod.stop()
    await log.close()
    assert stats.unread["low"] < 5000, "it read ahead without bound"
    assert stats.oldest_wait["low"] > 0
    assert grown < MOST, f"it grew by {grown:,} bytes"
