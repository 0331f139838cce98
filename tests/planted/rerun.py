"""Runs worlds by their seeds: `python -m tests.planted.rerun worlds|simulation SEED ...`.

Exit code 1 at the first that breaks a promise. What else a world raises passes through.
"""

import logging
import sys

from tests.properties.worlds import judged
from tests.simulation.chance import Seeded
from tests.simulation.storm import Broken, run


def main() -> int:
    """Run the worlds that are asked for."""
    judge, *seeds = sys.argv[1:]
    logging.disable(logging.CRITICAL)
    for seed in map(int, seeds):
        try:
            judged(seed) if judge == "worlds" else run(Seeded(seed))
        except (AssertionError, Broken) as broken:
            said = str(broken).splitlines() or ["an assertion of the engine itself"]
            print(f"seed {seed}: {said[0]}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
