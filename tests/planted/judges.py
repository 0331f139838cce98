"""Who judges a copy: tests, and the random worlds, which go by seeds."""

import json
import re
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

from tests.planted.bug import SEEDED
from tests.planted.tree import Tree
from tests.planted.witness import FILE

_COMMANDS = {"worlds": "tests.properties", "simulation": "tests.simulation"}
_BROKEN = re.compile(r"^seed (?P<seed>\d+): (?P<words>.*)$", re.MULTILINE)
_PYTEST = ("-q", "-p", "tests.planted.witness", "-p", "no:cacheprovider", "-o", "addopts=")
_FLAGS = ("--import-mode=importlib", "--strict-markers")
_APART = "the world fell apart"
"""What the simulation says where the code under test raises: no verdict."""

SLACK = 100.0
"""Seconds beyond its own limit after which a judge is stopped."""


class Verdict(NamedTuple):
    """What a judge says of a copy. `trouble` says why it is no verdict, if it is none."""

    judge: str
    caught: bool
    words: str = ""
    seed: int | None = None
    trouble: str = ""

    @property
    def clean(self) -> bool:
        """Whether the judge ran to its end and had nothing to say."""
        return not self.caught and not self.trouble


def judge(tree: Tree, name: str, *, seconds: float, seeds: Sequence[int] = ()) -> Verdict:
    """Let one judge look at the copy: at these seeds, or from seed 0 for so many seconds."""
    try:
        if name in SEEDED:
            return _seeded(tree, name, seconds, seeds)
        return _tests(tree, name, seconds)
    except subprocess.TimeoutExpired:
        return Verdict(name, caught=False, trouble="it did not come to an end")


def _seeded(tree: Tree, name: str, seconds: float, seeds: Sequence[int]) -> Verdict:
    if seeds:
        done = tree.run("-m", "tests.planted.rerun", name, *map(str, seeds), seconds=SLACK)
    else:
        asked = ("--seconds", str(seconds))
        done = tree.run("-m", _COMMANDS[name], *asked, seconds=seconds + SLACK)
    found = _BROKEN.search(done.stdout)
    if done.returncode == 1 and found and not found["words"].startswith(_APART):
        return Verdict(name, caught=True, words=found["words"], seed=int(found["seed"]))
    return Verdict(name, caught=False, trouble=done.stdout[-1500:] if done.returncode else "")


def _tests(tree: Tree, name: str, seconds: float) -> Verdict:
    file = tree.folder / "verdict.json"
    file.unlink(missing_ok=True)
    done = tree.run(
        "-m",
        "pytest",
        *_PYTEST,
        *_FLAGS,
        name,
        seconds=seconds + SLACK,
        settings=[(FILE, str(file))],
    )
    if file.exists():
        return Verdict(name, caught=True, words=json.loads(file.read_text()))
    return Verdict(name, caught=False, trouble=done.stdout[-1500:] if done.returncode else "")
