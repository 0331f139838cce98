"""Random worlds: whatever crashes when, everything ends, and every call is explained."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from sagalog.schemas.deadletters import PoisonRecord
from tests.properties.promises import states
from tests.properties.worlds import forgetful, passed, plain, upgraded

SEEDS = st.integers(0, 2**40)


@settings(max_examples=250)
@given(SEEDS)
def test_a_random_world_keeps_every_promise(seed: int) -> None:
    plain(seed)


@settings(max_examples=120)
@given(SEEDS)
def test_a_world_that_forgets_runs_no_request_twice(seed: int) -> None:
    forgetful(seed)


@settings(max_examples=100)
@given(SEEDS)
def test_a_world_that_is_upgraded_keeps_every_promise(seed: int) -> None:
    upgraded(seed)


def test_the_worlds_are_stormy_enough() -> None:
    """Without crashes, undos, zombies' facts and repeats the test above would prove nothing."""
    seen: Counter[str] = Counter()
    for seed in range(60):
        storm = passed(seed)
        seen["zombies"] += len(storm.zombies)
        seen["lost calls"] += sum(storm.world.lost.values())
        for app in storm.world.apps:
            for fact in storm.world.facts(app=app):
                seen[type(fact).__name__] += 1
        letters = storm.world.letters()
        seen["poison"] += sum(isinstance(letter, PoisonRecord) for letter in letters)
        seen["strays"] += storm.strays
        seen["ends"] += len(states(storm))
    wanted = ["zombies", "lost calls", "StepCompensated", "StepFailed", "CompensationRequested"]
    wanted += ["CancelRequested", "StepReleased", "DeadlinePassed", "Cancelled", "OutcomeDelivered"]
    wanted += ["poison", "strays"]
    assert [name for name in wanted if not seen[name]] == []
    assert seen["ends"] > 100
