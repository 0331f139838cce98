"""What the simulation promises of itself: that a world can be repeated, and made smaller."""

import os
import subprocess
import sys

import pytest

from tests.house.tree import ROOT
from tests.simulation.chance import Replayed, Seeded, Trace
from tests.simulation.counters import SITUATIONS
from tests.simulation.shrinking import shrunk
from tests.simulation.story import story_of
from tests.simulation.trials import tried

SEEDS = (3, 82, 120)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_trace_tells_the_story_of_its_seed(seed: int) -> None:
    seeded = Seeded(seed)
    story, broken = story_of(seeded)
    assert broken is None
    assert story_of(Replayed(seeded.trace))[0] == story
    assert len(story) > 50


def test_a_seed_tells_the_same_story_in_every_process() -> None:
    """The order of sets of strings is another one in each."""
    stories = set[str]()
    for salt in ("1", "2"):
        command = [sys.executable, "-m", "tests.simulation", "--seed", str(SEEDS[0])]
        env = {**os.environ, "PYTHONHASHSEED": salt}
        done = subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        stories.add(done.stdout)
    assert len(stories) == 1


def test_the_dullest_world_has_no_fault_and_ends_well() -> None:
    said, seen = tried(Replayed({}))
    assert said == ""
    assert seen["ended completed"] > 0
    faults = [name for name in SITUATIONS if seen[name] and name != "ended completed"]
    assert faults == []


def test_what_fails_is_shrunk_to_what_matters() -> None:
    def broken_by(trace: Trace) -> str:
        made = trace.get("matters", [])
        return "S1 both" if len(made) > 3 and made[3] > 4 and sum(made) > 20 else ""

    trace = {"noise": [7] * 50, "matters": [9, 9, 9, 9, 9, 9], "more noise": [1]}
    found, said = shrunk(trace, broken_by, 10.0)
    assert said == "S1 both"
    assert found.keys() == {"matters"}
    assert len(found["matters"]) == 4
    assert 20 < sum(found["matters"]) < 27


def test_shrinking_ends_in_time() -> None:
    trace = {"all": [1] * 5000}
    _, said = shrunk(trace, lambda trace: "S1" if sum(trace.get("all", [])) > 4000 else "", 0.2)
    assert said == "S1"
