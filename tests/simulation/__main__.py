"""Runs worlds: python -m tests.simulation --seconds S --from SEED, or one with its story: --seed N.

Ends with 1 where a world has broken a promise, which is printed with its seed.
"""

import argparse
import logging
import sys
import time

from tests.simulation.chance import Chance, Seeded
from tests.simulation.storm import Broken, run


class Telling(logging.Handler):
    """Adds the library's own log lines to a story."""

    def __init__(self, story: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._story = story

    def emit(self, record: logging.LogRecord) -> None:
        self._story.append(f"           [{record.levelname.lower()}] {record.getMessage()}")


def told(chance: Chance) -> tuple[list[str], Broken | None]:
    """One world's story, and what it broke."""
    story: list[str] = []
    logger, handler = logging.getLogger("sagalog"), Telling(story)
    level, logger.propagate = logger.level, False
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logging.disable(logging.NOTSET)
    try:
        world = run(chance, story=story)
        story.append(f"seen: {dict(world.around.seen)}")
    except Broken as broken:
        return story, broken
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = True
    return story, None


def many(first: int, seconds: float) -> int:
    """World after world, until the time is over or one is broken."""
    logging.disable(logging.CRITICAL)
    seed, until = first, time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            run(Seeded(seed))
        except Broken as broken:
            print(f"seed {seed}: {broken}")
            return 1
        seed += 1
    print(f"{seed - first} worlds from seed {first}, no violation")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to go on")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="one world, with its story")
    wanted = parser.parse_args()
    if wanted.seed is None:
        return many(wanted.first, wanted.seconds)
    story, broken = told(Seeded(wanted.seed))
    print("\n".join(story))
    print(f"seed {wanted.seed}: {broken or 'no violation'}")
    return 0 if broken is None else 1


if __name__ == "__main__":
    sys.exit(main())
