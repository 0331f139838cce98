"""Keeps a number of requests in flight, as a service with many users does."""

import asyncio
import itertools
import time
from array import array
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

One = Callable[[int], Awaitable[None]]
"""Asks for the piece of work with this number, and waits for its answer."""


@dataclass(frozen=True, slots=True)
class Driven:
    """What came of it. `waits`: seconds from asking to the answer, in order of the answers."""

    done: int
    seconds: float
    waits: "array[float]"

    @property
    def rate(self) -> float:
        """Answers in a second, the last ones included."""
        return self.done / self.seconds

    def milliseconds(self, share: float) -> float:
        """The wait below which this share of all waits lies."""
        ordered = sorted(self.waits)
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 2)


async def drive(
    one: One, in_flight: int, *, seconds: float = float("inf"), count: int | None = None
) -> Driven:
    """Keep `in_flight` at work, for a time or until `count` are asked; then let all end."""
    numbers = itertools.count() if count is None else iter(range(count))
    waits = array("d")
    clock = time.perf_counter
    began = clock()
    until = began + seconds

    async def work() -> None:
        while (asked := clock()) < until and (number := next(numbers, None)) is not None:
            await one(number)
            waits.append(clock() - asked)

    await asyncio.gather(*(work() for _ in range(in_flight)))
    return Driven(len(waits), clock() - began, waits)
