"""Runs random worlds: `python -m tests.properties --seconds 20`, or `--seed N` for one again.

Exit code 1 where a world breaks a promise. Anything else that a world raises is no judgement
and passes through.
"""

import argparse
import sys
import time
from itertools import count

from tests.properties.worlds import judged


def main() -> int:
    """Run the seeds that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.properties", description=__doc__)
    parser.add_argument("--seed", type=int, nargs="*", default=[], help="run these alone")
    parser.add_argument("--seconds", type=float, default=20, help="run from seed 0 for so long")
    asked = parser.parse_args()
    until = time.monotonic() + asked.seconds
    worlds = 0
    for seed in asked.seed or count():
        if not asked.seed and time.monotonic() > until:
            break
        try:
            judged(seed)
        except AssertionError as broken:
            print(f"seed {seed}: {str(broken).splitlines()[0] if str(broken) else 'broken'}")
            return 1
        worlds += 1
    print(f"{worlds} worlds kept every promise")
    return 0


if __name__ == "__main__":
    sys.exit(main())
