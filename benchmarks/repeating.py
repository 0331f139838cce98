"""Runs a measurement several times: the median counts, and the spread is told."""

import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

from benchmarks.driving import drive
from benchmarks.machine import Meter
from benchmarks.orders import payload
from benchmarks.rig import Rig

Measured = dict[str, float]
Measure = Callable[[str], Awaitable[Measured]]
"""Measures once; the string begins the ids of this run's orders."""

IN_FLIGHT = 256
COUNTS = frozenset({"lost", "duplicates"})
"""These add up over the runs; of all others the median is taken."""


async def repeated(made: Rig, main: str, measure: Measure) -> dict[str, Any]:
    """Warm up, then measure as often as asked for. `main` is the figure to be told of each run."""
    await _warm_up(made)
    runs: list[Measured] = []
    loads, others = [], []
    for number in range(made.options.runs):
        meter = Meter(made.pids)
        loads.append(meter.load_before)
        runs.append(await measure(f"{number}-{time.monotonic_ns():x}"))
        if meter.alive():
            others.append(meter.others())
        _tell(f"{made.app.name} run {number + 1}: {main} {runs[-1][main]:,}")
    return {
        **{name: _summed(name, [run[name] for run in runs]) for name in runs[0]},
        "runs": [run[main] for run in runs],
        "spread": _spread([run[main] for run in runs]),
        "load_before": loads,
        "cores_used_by_others": others,
        "rss_mb": Meter(made.pids).rss_mb(),
    }


async def _warm_up(made: Rig) -> None:
    if not made.options.warmup:
        return
    saga = made.app.sagas["order"]

    async def one(number: int) -> None:
        await (await made.client.start(saga, payload(f"warm-{number}"))).result()

    await drive(one, IN_FLIGHT, seconds=made.options.warmup)


def per_piece(meter: Meter, done: int, piece: str = "saga") -> Measured:
    """Microseconds of each role's processor time for one piece of work."""
    spent = meter.cpu().items()
    return {f"{role}_cpu_us_per_{piece}": round(cpu / done * 1e6, 1) for role, cpu in spent}


def _summed(name: str, values: list[float]) -> float:
    return sum(values) if name in COUNTS else round(median(values), 2)


def _spread(values: list[float]) -> float:
    """From the lowest to the highest, as a share of the median."""
    return round((max(values) - min(values)) / (median(values) or 1), 3)


def _tell(sentence: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {sentence}", file=sys.stderr, flush=True)
