"""Bugs are planted into a copy of the sources, one at a time, and every one must be caught.

Two hunts run at once. Each tries the seeds that are remembered first, then the judges that the
patch names, and stops at the first catch. `python -m tests.planted` is the longer, honest check.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.house.tree import ROOT
from tests.planted.bug import BUGS, Bug
from tests.planted.hunt import hunt, remembered, unpatched

RULES = {*range(1, 16)}

WHOLE = (
    "simulation",
    "worlds",
    "tests/rules/",
    "tests/engine/test_holding.py",
    "tests/engine/test_breaking.py",
    "tests/streams/test_client.py",
    "tests/streams/test_pod.py",
    "tests/streams/test_two_apps.py",
)
"""Judges that drive whole processors, or pods and clients: a test of one function is not enough."""

JUDGES = sorted({judge for bug in BUGS for judge in bug.judges})


@pytest.fixture(scope="module")
def hunts(request: pytest.FixtureRequest) -> Iterator[dict[Any, Future[Any]]]:
    """All that the tests of this run ask for, two at a time, in their order."""
    seeds = remembered()
    with ThreadPoolExecutor(2) as pool:
        futures: dict[Any, Future[Any]] = {}
        for item in request.session.items:
            wanted = getattr(item, "callspec", None) and item.callspec.params  # type: ignore[attr-defined]
            if item.path != request.path or not wanted:
                continue
            if "judge" in wanted:
                futures[wanted["judge"]] = pool.submit(unpatched, wanted["judge"], seeds)
            elif "planted" in wanted:
                bug = wanted["planted"]
                futures[bug] = pool.submit(hunt, bug, seeds.get(bug.name, {}))
        yield futures
        pool.shutdown(cancel_futures=True)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("judge", JUDGES)
def test_the_tree_as_it_is_passes_whoever_judges(judge: str, hunts: dict[Any, Future[Any]]) -> None:
    """Else that a planted bug is caught would prove nothing."""
    verdict = hunts[judge].result()
    assert verdict.clean, verdict.words or verdict.trouble


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("planted", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught(planted: Bug, hunts: dict[Any, Future[Any]]) -> None:
    ended = hunts[planted].result()
    assert ended.catches, ended.story


def test_every_rule_is_taken_out_and_enough_other_faults_are_planted() -> None:
    assert {bug.rule for bug in BUGS} - {0} == RULES
    assert sum(not bug.rule for bug in BUGS) >= 15


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_patch_says_what_is_broken_and_is_small(bug: Bug) -> None:
    assert bug.broken
    assert bug.seen
    assert any(judge.startswith(WHOLE) for judge in bug.judges), "nobody judges the whole"
    lines = bug.path.read_text().splitlines()
    assert sum(line[:1] in "+-" for line in lines) <= 24
    assert all(path.split("/")[0] in ("engine", "schemas", "streams") for path in bug.changed)


def test_the_pages_say_how_many_there_are() -> None:
    page = (ROOT / "docs" / "guarantees.md").read_text()
    assert f"| {len(BUGS)} bugs, each a patch" in page


def test_no_seed_is_remembered_of_a_bug_that_is_gone() -> None:
    assert remembered().keys() <= {bug.name for bug in BUGS}
