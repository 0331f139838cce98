"""W1: sagas in a second. W3: the same where the third step always fails for good."""

from typing import Any

from benchmarks.driving import Driven, drive
from benchmarks.machine import Meter
from benchmarks.orders import payload
from benchmarks.repeating import IN_FLIGHT, Measured, per_piece, repeated
from benchmarks.rig import Rig
from sagalog.streams import TurnedBack


async def throughput(made: Rig) -> dict[str, Any]:
    """Keep 256 sagas in flight, each of which must complete."""
    client, saga = made.client, made.app.sagas["order"]

    async def measure(prefix: str) -> Measured:
        async def one(number: int) -> None:
            handle = await client.start(saga, payload(f"{prefix}-{number}"))
            await handle.result()

        meter = Meter(made.pids)
        driven = await drive(one, IN_FLIGHT, seconds=made.options.seconds)
        return _figures(driven, meter)

    return await repeated(made, "sagas_per_s", measure)


async def compensation(made: Rig) -> dict[str, Any]:
    """Keep 256 sagas in flight, each of which must turn back and undo its first two steps."""
    client, saga = made.client, made.app.sagas["order"]

    async def measure(prefix: str) -> Measured:
        async def one(number: int) -> None:
            order = payload(f"{prefix}-{number}", fail=True, log=True)
            try:
                await (await client.start(saga, order)).result()
            except TurnedBack:
                return
            raise AssertionError(f"{prefix}-{number} has completed")

        meter = Meter(made.pids)
        driven = await drive(one, IN_FLIGHT, seconds=made.options.seconds)
        figures = _figures(driven, meter)
        undone = made.owner.count(prefix, "release", "refund")
        return figures | {"compensations_per_saga": round(undone / driven.done, 3)}

    return await repeated(made, "sagas_per_s", measure)


def _figures(driven: Driven, meter: Meter) -> Measured:
    return {
        "sagas_per_s": round(driven.rate, 1),
        "sagas": driven.done,
        "loaded_p50_ms": driven.milliseconds(0.5),
        "loaded_p99_ms": driven.milliseconds(0.99),
        **per_piece(meter, driven.done),
    }
