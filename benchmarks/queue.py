"""W5: a queue. Tasks are enqueued while nobody works, then one worker process consumes them.

A task counts as consumed when its request is committed, so when its end stands in the log.
"""

import asyncio
import os
import time
from typing import Any

from benchmarks.machine import Meter, rss
from benchmarks.orders import payload
from benchmarks.repeating import Measured, per_piece, repeated
from benchmarks.rig import Rig
from sagalog.streams.log import Place
from sagalog.streams.owner import lanes_group

BUNCH = 1_000
SECONDS_OF_WORK = 10_000
"""Tasks for each second that a run is to last."""


async def queue(made: Rig) -> dict[str, Any]:
    """Tasks in a second, into the log and through one worker."""

    async def measure(prefix: str) -> Measured:
        count = made.sized(round(SECONDS_OF_WORK * made.options.seconds))
        made.owner.stop()
        before = await _offsets(made)
        began, meter = time.perf_counter(), Meter({"client": [os.getpid()]})
        await _enqueue(made, prefix, count)
        enqueued = time.perf_counter() - began
        spent = per_piece(meter, count, "enqueue")
        made.owner.start()
        await _moved(made, before, 1)
        first, began = await _consumed(made, before), time.perf_counter()
        meter = Meter({"owner": [made.owner.pid]})
        await _moved(made, before, count)
        consumed = time.perf_counter() - began
        spent |= per_piece(meter, count - first, "task")
        return {
            "enqueue_per_s": round(count / enqueued, 1),
            "consume_per_s": round((count - first) / consumed, 1),
            "tasks": count,
            "lost": count - await _consumed(made, before),
            "worker_mb": round(rss(made.owner.pid) / 1e6, 1),
            **spent,
        }

    return await repeated(made, "consume_per_s", measure)


async def _enqueue(made: Rig, prefix: str, count: int) -> None:
    check = made.app.operations["check"]
    for start in range(0, count, BUNCH):
        orders = [payload(f"{prefix}-{n}") for n in range(start, min(start + BUNCH, count))]
        await made.client.submit_many(check, orders)


def _places(made: Rig) -> list[Place]:
    return [(f"{made.app.name}.normal", number) for number in range(4)]


async def _offsets(made: Rig) -> int:
    found = await made.log.committed(lanes_group(made.app.name), _places(made))
    return sum(found.values())


async def _consumed(made: Rig, before: int) -> int:
    return await _offsets(made) - before


async def _moved(made: Rig, before: int, count: int) -> None:
    """Wait until so many tasks are consumed."""
    while await _consumed(made, before) < count:
        await asyncio.sleep(0.02)
        if made.owner.died():
            raise SystemExit(f"the owner does not work:\n{made.owner.said()}")
