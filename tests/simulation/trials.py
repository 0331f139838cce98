"""Many worlds on all cores, and what is left of one that fails: its seed, and a short trace."""

import gc
import json
import logging
import multiprocessing
import os
import signal
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.simulation.chance import Chance, Replayed, Seeded, Trace
from tests.simulation.shrinking import shrunk
from tests.simulation.storm import Broken, run

PORTION = 100
"""Worlds that a process runs at a time."""

LIMIT = 20.0
"""Seconds of a core that a world may take; a usual one takes some milliseconds."""

SHRINK = 20.0
"""Seconds for the search of a shorter trace."""


@dataclass(slots=True)
class Failure:
    """A world that broke a promise."""

    seed: int
    said: str
    trace: Trace


@dataclass(slots=True)
class Trials:
    """What many worlds have shown."""

    worlds: int = 0
    seen: Counter[str] = field(default_factory=Counter[str])
    failure: Failure | None = None


class Hung(Exception):
    """A world does not come to its end."""


def tried(chance: Chance) -> tuple[str, Counter[str]]:
    """Run a world; what it broke (empty where nothing), and what was seen in it."""
    try:
        with _limited():
            world = run(chance)
    except Broken as broken:
        return broken.violations[0], Counter()
    except Exception:  # noqa: BLE001 (a fault of the code under test, or of the simulation)
        return f"the world fell apart: {traceback.format_exc()}", Counter()
    return "", world.around.seen


@contextmanager
def _limited() -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise Hung(f"the world took more than {LIMIT} s")

    before, disabled = signal.signal(signal.SIGPROF, ring), logging.root.manager.disable
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    logging.disable(logging.CRITICAL)  # a world's warnings are many, and told in its story only
    try:
        yield
    finally:
        logging.disable(disabled)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _portion(seeds: range) -> Trials:
    found = Trials()
    for seed in seeds:
        chance = Seeded(seed)
        said, seen = tried(chance)
        found.worlds += 1
        found.seen += seen
        if said:
            found.failure = Failure(seed, said, chance.trace)
            break
    return found


def _collect_rarely() -> None:
    """A world leaves cycles behind; looking for them less often saves a seventh of the time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def trials(first: int, count: int) -> Trials:
    """Run worlds from seed `first` on, until one fails; one process for each core."""
    portions = [
        range(seed, min(seed + PORTION, first + count))
        for seed in range(first, first + count, PORTION)
    ]
    every = Trials()
    context = multiprocessing.get_context("fork")
    with context.Pool(os.cpu_count(), _collect_rarely) as pool:
        for found in pool.imap(_portion, portions):
            every.worlds += found.worlds
            every.seen += found.seen
            if found.failure is not None:
                every.failure = found.failure
                break
    return every


def told(failure: Failure) -> str:
    """A failure in words, and where its trace is."""
    trace, said = shrunk(failure.trace, broken_by, SHRINK)
    file = Path(tempfile.gettempdir()) / f"world-{failure.seed}.json"
    file.write_text(json.dumps({"found": said or failure.said, "saw": [], "trace": trace}))
    choices = sum(map(len, trace.values()))
    return (
        f"\nworld {failure.seed} breaks a promise:\n{said or failure.said}\n"
        f"Replay it: pytest tests/simulation --seed {failure.seed}\n"
        f"Its trace, of {choices} choices, is in {file}: pytest tests/simulation --replay {file}\n"
        "Once it is understood and mended, say in its `found` what it was and move it to "
        "tests/simulation/kept/, where it runs for ever."
    )


def broken_by(trace: Trace) -> str:
    """What a trace breaks; empty where nothing."""
    return tried(Replayed(trace))[0]
