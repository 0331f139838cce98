"""Chaos on a real broker: pods, clients and the broker die while sagas run, then all is audited.

    python -m tests.chaos run --seconds 90 --seed 7
    python -m tests.chaos soak --minutes 30
    python -m tests.chaos judge FOLDER        what a folder shows, once more

Everything that is needed to look into a failure is kept in a folder, whose path is printed.
The summary is one line of JSON on stdout.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import orjson

from tests.chaos.memory import WARM
from tests.chaos.plan import Plan
from tests.chaos.run import Summary, judged, run

BROKEN, VOID = 1, 3
SOAK_PACE = 0.5


def main() -> int:
    """Do what the command line says. 0 all well, 1 promises broken, 3 void."""
    options = _options().parse_args()
    if options.do == "judge":
        kept = orjson.loads((options.folder / "plan.json").read_bytes())
        return _told(judged(Plan(**{**kept, "folder": options.folder})))
    folder = options.keep or Path(tempfile.mkdtemp(prefix=f"sagalog-{options.do}-"))
    print(f"chaos: everything is kept in {folder}", file=sys.stderr)
    if options.do == "run":
        plan = Plan(folder, options.seed, options.seconds, rate=options.rate)
    else:
        seconds = options.minutes * 60
        plan = Plan(
            folder,
            options.seed,
            seconds,
            pace=SOAK_PACE,
            rate=options.rate,
            soak=True,
            warm=min(WARM, seconds / 3),
        )
    return _told(run(plan))


def _told(summary: Summary) -> int:
    for text in summary.violations:
        print(text, file=sys.stderr)
    for text in summary.void:
        print(f"void: {text}", file=sys.stderr)
    print(summary.line())
    return BROKEN if summary.violations else VOID if summary.void else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="do", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--seed", type=int, default=1, help="everything follows from it")
    shared.add_argument("--keep", type=Path, help="the folder for the evidence")
    chaos = verbs.add_parser("run", parents=[shared], help="faults, rest, audit")
    chaos.add_argument("--seconds", type=float, default=90.0, help="how long faults strike")
    chaos.add_argument("--rate", type=float, default=14.0, help="orders a second")
    soak = verbs.add_parser("soak", parents=[shared], help="half as many faults; memory watched")
    soak.add_argument("--minutes", type=float, default=30.0, help="how long")
    soak.add_argument("--rate", type=float, default=12.0, help="orders a second")
    judge = verbs.add_parser("judge", help="look at a kept folder again")
    judge.add_argument("folder", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
