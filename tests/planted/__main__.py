"""The honest check: `python -m tests.planted [NAME ...] [--seconds S]`.

Every judge that a patch names has to catch it alone, from seed 0 on, within so many seconds.
The seeds that did are written to seeds.json. Exit code 1 where a judge catches nothing.
"""

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from tests.planted.bug import BUGS, SEEDED, Bug
from tests.planted.hunt import SEEDS, Hunt, honest, remembered


def main() -> int:
    """Hunt for the bugs that are asked for, or for all."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of patches")
    parser.add_argument("--seconds", type=float, default=60, help="for a judge that goes by seeds")
    asked = parser.parse_args()
    bugs = [b for b in BUGS if not asked.names or any(name in b.name for name in asked.names)]
    with ThreadPoolExecutor(2) as pool:
        good = [*pool.map(lambda bug: _hunted(bug, asked.seconds), bugs)]
    return 0 if all(good) else 1


def _hunted(bug: Bug, seconds: float) -> bool:
    began = time.monotonic()
    hunt = honest(bug, seconds)
    good = bool(hunt.verdicts) and hunt.catches == hunt.verdicts
    print(f"{'caught ' if good else 'ESCAPED'} {bug.name} ({time.monotonic() - began:.1f} s)")
    for verdict in hunt.verdicts:
        seed = "" if verdict.seed is None else f" seed {verdict.seed}"
        print(f"    {verdict.judge}{seed}: {verdict.words or verdict.trouble or 'saw nothing'}")
    if hunt.trouble:
        print(f"    {hunt.trouble}")
    _remember(hunt)
    return good


def _remember(hunt: Hunt) -> None:
    seeds = remembered()
    found = {v.judge: v.seed for v in hunt.catches if v.judge in SEEDED and v.seed is not None}
    seeds[hunt.bug.name] = found
    names = {bug.name for bug in BUGS}
    kept = {name: of for name, of in sorted(seeds.items()) if of and name in names}
    SEEDS.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
