"""W4: the owner is killed when half of the sagas are complete, and started again at once."""

import asyncio
import time
from contextlib import suppress
from typing import Any

from benchmarks.driving import drive
from benchmarks.machine import Meter
from benchmarks.orders import payload
from benchmarks.repeating import IN_FLIGHT, Measured, repeated
from benchmarks.rig import Rig

SAGAS = 500
STEPS = 3
PATIENCE = 60.0


async def crash(made: Rig) -> dict[str, Any]:
    """Count what is lost and what is called again, and the seconds until all are complete."""
    client, saga = made.client, made.app.sagas["order"]

    async def measure(prefix: str) -> Measured:
        completed, restarted = 0, 0.0
        meter = None

        async def one(number: int) -> None:
            nonlocal completed, restarted, meter
            order = payload(f"{prefix}-{number}", log=True)
            await (await client.start(saga, order)).result()
            completed += 1
            if completed == SAGAS // 2:
                made.owner.kill()
                restarted = time.perf_counter()
                made.owner.start()
                meter = Meter(made.pids)

        with suppress(TimeoutError):
            await asyncio.wait_for(drive(one, IN_FLIGHT, count=SAGAS), PATIENCE)
        return {
            "recovery_s": round(time.perf_counter() - restarted, 3),
            "lost": SAGAS - completed,
            "duplicates": made.owner.count(prefix) - STEPS * SAGAS,
            "others_during_recovery": meter.others() if meter else 0.0,
        }

    return await repeated(made, "recovery_s", measure)
