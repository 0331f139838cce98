"""Runs worlds: python -m tests.simulation --seconds S --from SEED, or one with its story: --seed N.

Ends with 1 where a world has broken a promise, which is printed with its seed.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from tests.simulation.chance import Chance, Replayed, Seeded
from tests.simulation.story import story_of
from tests.simulation.trials import tried


def many(first: int, seconds: float) -> int:
    """World after world, until the time is over or one is broken."""
    seed, until = first, time.monotonic() + seconds
    while time.monotonic() < until:
        said, _ = tried(Seeded(seed))
        if said:
            print(f"seed {seed}: {said}")
            return 1
        seed += 1
    print(f"{seed - first} worlds from seed {first}, no violation")
    return 0


def one(chance: Chance) -> int:
    """One world, with its story."""
    story, broken = story_of(chance)
    print("\n".join(story))
    print("no violation" if broken is None else f"broken: {broken}")
    return int(broken is not None)


def main() -> int:
    """What the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to go on")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="one world, with its story")
    parser.add_argument("--replay", type=Path, help="one world of a file, with its story")
    wanted = parser.parse_args()
    if wanted.replay is not None:
        return one(Replayed(json.loads(wanted.replay.read_text())["trace"]))
    if wanted.seed is not None:
        return one(Seeded(wanted.seed))
    return many(wanted.first, wanted.seconds)


if __name__ == "__main__":
    sys.exit(main())
