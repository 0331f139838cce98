"""Runs worlds: python -m tests.simulation --seconds S --from SEED, or some alone: --seed N ...

One alone is told as a story. Ends with 1 where a world has broken a promise, which is printed
with its seed.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable
from itertools import count
from math import inf
from pathlib import Path

from tests.simulation.chance import Chance, Replayed, Seeded
from tests.simulation.story import story_of
from tests.simulation.trials import tried


def many(seeds: Iterable[int], seconds: float) -> int:
    """World after world, until the time is over or one is broken."""
    number, until = 0, time.monotonic() + seconds
    for seed in seeds:
        number += 1
        said, _ = tried(Seeded(seed))
        if said:
            print(f"seed {seed}: {said}")
            return 1
        if time.monotonic() > until:
            break
    print(f"{number} worlds, no violation")
    return 0


def one(name: str, chance: Chance) -> int:
    """One world, with its story."""
    story, broken = story_of(chance)
    print(*story, f"{name}: {broken or 'no violation'}", sep="\n")
    return int(broken is not None)


def main() -> int:
    """What the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to go on")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, nargs="+", help="these worlds; one with its story")
    parser.add_argument("--replay", type=Path, help="one world of a file, with its story")
    wanted = parser.parse_args()
    if wanted.replay is not None:
        return one(str(wanted.replay), Replayed(json.loads(wanted.replay.read_text())["trace"]))
    if wanted.seed is None:
        return many(count(wanted.first), wanted.seconds)
    if len(wanted.seed) == 1:
        return one(f"seed {wanted.seed[0]}", Seeded(wanted.seed[0]))
    return many(wanted.seed, inf)


if __name__ == "__main__":
    sys.exit(main())
