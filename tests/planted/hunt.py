"""The hunt for one bug: which judges catch it, and the seeds by which they did."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.planted.bug import SEEDED, Bug
from tests.planted.judges import Verdict, judge
from tests.planted.tree import Unsound, planted

SEEDS = Path(__file__).with_name("seeds.json")
"""For each bug the first seed of each judge that caught it."""

QUICK = 15.0
"""Seconds for a judge that goes by seeds, where the remembered one catches nothing any more."""


class Hunt(NamedTuple):
    """How a hunt ended."""

    bug: Bug
    verdicts: tuple[Verdict, ...]
    trouble: str = ""

    @property
    def catches(self) -> tuple[Verdict, ...]:
        """The verdicts of those that caught it."""
        return tuple(verdict for verdict in self.verdicts if verdict.caught)

    @property
    def story(self) -> str:
        """What is to be read where nobody caught it."""
        said = [f"{v.judge}: {v.trouble or v.words or 'saw nothing'}" for v in self.verdicts]
        return "\n".join([f"{self.bug.name} {self.trouble or 'is not caught'}", *said])


def remembered() -> dict[str, dict[str, int]]:
    """The seeds by bug and judge."""
    seeds: dict[str, dict[str, int]] = json.loads(SEEDS.read_text()) if SEEDS.exists() else {}
    return seeds


def hunt(bug: Bug, seeds: Mapping[str, int]) -> Hunt:
    """Stop at the first catch: the remembered seeds first, then every judge for a short time."""
    tried: list[Verdict] = []
    try:
        with planted(bug) as tree:
            plans: list[tuple[str, tuple[int, ...]]] = [
                (name, (seed,)) for name, seed in seeds.items() if name in bug.judges
            ]
            plans += [(name, ()) for name in bug.judges]
            for name, given in plans:
                tried.append(judge(tree, name, seconds=QUICK, seeds=given))
                if tried[-1].caught:
                    break
    except Unsound as unsound:
        return Hunt(bug, (), str(unsound))
    return Hunt(bug, tuple(tried))


def honest(bug: Bug, seconds: float) -> Hunt:
    """Without anything remembered: each judge that the header names has to catch it by itself."""
    try:
        with planted(bug) as tree:
            verdicts = [judge(tree, name, seconds=seconds) for name in bug.judges]
    except Unsound as unsound:
        return Hunt(bug, (), str(unsound))
    return Hunt(bug, tuple(verdicts))


def unpatched(name: str, seeds: Mapping[str, Mapping[str, int]]) -> Verdict:
    """What a judge says of the tree as it is: it may catch nothing, else a catch proves nothing."""
    known = sorted({found[name] for found in seeds.values() if name in found})
    if name in SEEDED and not known:
        return Verdict(name, caught=False)
    with planted(None) as tree:
        return judge(tree, name, seconds=QUICK, seeds=known)
