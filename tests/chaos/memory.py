"""How much memory and how many descriptors processes have, and whether that grows."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.chaos.lines import Book

MOST = 1.0
"""MB a minute that a process may grow by, once it is warm."""

WARM = 300.0
"""Seconds until a process has all that it needs."""

FEWEST = 20
"""Samples without which a slope says nothing."""

LOOK = 2.0
"""Seconds between two looks."""


class Sample(NamedTuple):
    """One look at a process; `at` in seconds."""

    at: float
    megabytes: float
    descriptors: int


def sample(pid: int, at: float) -> Sample | None:
    """Look at a process; None where it is gone."""
    process = Path(f"/proc/{pid}")
    try:
        status = (process / "status").read_text()
        descriptors = len(list((process / "fd").iterdir()))
    except OSError:
        return None
    resident = next((x for x in status.splitlines() if x.startswith("VmRSS:")), "VmRSS: 0 kB")
    return Sample(at, int(resident.split()[1]) / 1024, descriptors)


async def watch(pids: Mapping[str, int], book: Book, pause: float = LOOK) -> None:
    """Note samples of processes until it is cancelled; `at` counts from now."""
    began = time.monotonic()
    while True:
        for who, pid in pids.items():
            found = sample(pid, time.monotonic() - began)
            if found is not None:
                book.note("sample", who=who, sample=[*found])
        await asyncio.sleep(pause)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """What y grows by for each x, by least squares; 0 where all x are one."""
    count = len(points)
    x_mean, y_mean = (sum(values) / count for values in zip(*points, strict=True))
    spread = sum((x - x_mean) ** 2 for x, _ in points)
    return sum((x - x_mean) * (y - y_mean) for x, y in points) / spread if spread else 0.0


class Growth(NamedTuple):
    """What one process grows by, each minute."""

    megabytes: float
    descriptors: float
    samples: int


def growth(samples: Sequence[Sample], warm: float) -> Growth:
    """What a process grew by from `warm` seconds on."""
    later = [s for s in samples if s.at >= warm]
    if len(later) < FEWEST:
        return Growth(0.0, 0.0, len(later))
    megabytes = slope([(s.at / 60, s.megabytes) for s in later])
    descriptors = slope([(s.at / 60, s.descriptors) for s in later])
    return Growth(megabytes, descriptors, len(later))
