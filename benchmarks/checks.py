"""W6: many requests with few keys. Each key's work is done once, and all hear its result."""

import random
from typing import Any

from benchmarks.driving import drive
from benchmarks.machine import Meter
from benchmarks.orders import Payload, payload
from benchmarks.repeating import Measured, per_piece, repeated
from benchmarks.rig import Rig

REQUESTS, KEYS = 5_000, 500
IN_FLIGHT = 64


async def checks(made: Rig) -> dict[str, Any]:
    """Rounds of 5,000 shuffled requests with 500 distinct keys, each round with new keys."""
    client, check = made.client, made.app.operations["check"]
    shuffled = [number % KEYS for number in range(REQUESTS)]
    random.Random(1).shuffle(shuffled)

    async def measure(prefix: str) -> Measured:
        answers: dict[str, Payload] = {}
        differing = 0

        async def one(number: int) -> None:
            nonlocal differing
            key = f"{prefix}-{number // REQUESTS}-{shuffled[number % REQUESTS]}"
            handle = await client.submit(check, payload(key, log=True), key=key)
            answer = await handle.result()
            differing += answers.setdefault(key, answer) != answer

        meter = Meter(made.pids)
        driven = await drive(one, IN_FLIGHT, seconds=made.options.seconds)
        spent = per_piece(meter, driven.done, "check")
        return {
            "checks_per_s": round(driven.rate, 1),
            "duplicates": made.owner.count(prefix) - len(answers),
            "answers_differing": differing,
            "requests": driven.done,
            "distinct": len(answers),
            "loaded_p50_ms": driven.milliseconds(0.5),
            "loaded_p99_ms": driven.milliseconds(0.99),
            **spent,
        }

    return await repeated(made, "checks_per_s", measure)
