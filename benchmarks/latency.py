"""W2: one saga at a time, from asking until the caller sees the result."""

from typing import Any

from benchmarks.driving import drive
from benchmarks.orders import payload
from benchmarks.repeating import Measured, repeated
from benchmarks.rig import Rig


async def latency(made: Rig) -> dict[str, Any]:
    """Ask, wait for the answer, ask again."""
    client, saga = made.client, made.app.sagas["order"]

    async def measure(prefix: str) -> Measured:
        async def one(number: int) -> None:
            await (await client.start(saga, payload(f"{prefix}-{number}"))).result()

        driven = await drive(one, 1, seconds=made.options.seconds)
        return {
            "p50_ms": driven.milliseconds(0.5),
            "p95_ms": driven.milliseconds(0.95),
            "p99_ms": driven.milliseconds(0.99),
            "sagas": driven.done,
        }

    return await repeated(made, "p50_ms", measure)
