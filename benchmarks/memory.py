"""M1: what one saga costs of the owner's memory, while it waits and after it has ended.

The owner's resident memory before and after, its growth shared by the sagas. What is the user's
own is subtracted as the bytes of JSON that it has on the wire: the input, and the results so far.
"""

import asyncio
import time
from typing import Any

import orjson

from benchmarks.driving import drive
from benchmarks.machine import cpu, rss
from benchmarks.orders import payload
from benchmarks.repeating import IN_FLIGHT
from benchmarks.rig import Options, Rig, rig
from sagalog.streams import Client

SAGAS, WARM = 100_000, 5_000
BATCH = 2_000
PATIENCE = 60.0
STEPS = ("reserve", "charge", "ship")


async def memory(options: Options) -> dict[str, Any]:
    """Each kind in an owner of its own: ended; waiting for a retry; waiting for another app."""
    figures: dict[str, Any] = {}
    for kind, saga, results in (
        ("finished", "order", 3),
        ("live", "waiting", 1),
        ("live_retrying", "retrying", 1),
    ):
        async with rig(options, f"m1-{kind.replace('_', '-')}") as made:
            bytes_ = await _growth(made, saga)
            figures[f"{kind}_bytes_per_saga"] = round(bytes_ - _own(results))
            figures[f"{kind}_bytes_in_all"] = round(bytes_)
            figures["sagas"] = made.sized(SAGAS)
    return figures


async def _growth(made: Rig, saga: str) -> float:
    """The bytes that the owner has grown by, for each saga."""
    count = made.sized(SAGAS)
    await _begin(made, saga, "warm", made.sized(WARM))
    before = await _settled(made.owner.pid)
    await _begin(made, saga, "kept", count)
    return (await _settled(made.owner.pid) - before) / count


async def _begin(made: Rig, saga: str, prefix: str, count: int) -> None:
    """Start sagas, and wait until they have ended or, if they do not, until they have begun.

    Each batch has a client of its own, since one that listens on asks again and again.
    """
    for first in range(0, count, BATCH):
        client = Client(made.log, made.app)
        await client.open()

        async def one(number: int, first: int = first, client: Client = client) -> None:
            order = payload(f"{prefix}-{first + number}")
            handle = await client.start(saga, order, confirm=saga != "order")
            if saga == "order":
                await handle.result()

        await drive(one, IN_FLIGHT, count=min(BATCH, count - first))
        await client.close()


async def _settled(pid: int) -> int:
    """The resident memory once the owner has had next to nothing to do for three seconds."""
    idle, until = 0, time.monotonic() + PATIENCE
    while idle < 3 and time.monotonic() < until:
        before = cpu(pid)
        await asyncio.sleep(1)
        idle = idle + 1 if cpu(pid) - before < 0.1 else 0
    return rss(pid)


def _own(results: int) -> int:
    """The bytes of JSON that are the user's: the input, and this many results."""
    order = payload("kept-050000")
    said = [{"ok": True, "id": f"{step}-{order['id']}"} for step in STEPS[:results]]
    return len(orjson.dumps(order)) + sum(len(orjson.dumps(result)) for result in said)
