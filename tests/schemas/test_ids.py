"""Ids: the same cause gives the same id, another cause another."""

from dataclasses import replace
from typing import Any

import pytest

from sagalog.schemas import facts as f
from sagalog.schemas import limits as l
from sagalog.schemas import pauses as p
from sagalog.schemas.catalogue import NAMES
from sagalog.schemas.ids import child_id, fact_id, instance_id, letter_id, poison_id
from tests.schemas.specimens import FACTS, FAILURE, named


def id_of(fact: Any, instance: str = "i") -> str:
    return fact_id(instance, NAMES[type(fact)], fact)


def test_a_key_stands_for_one_instance_for_ever() -> None:
    # A constant: clients of every version, in every language, must come to the same id.
    assert instance_id("", "order", "order-4711") == "25dfd783-be36-5239-b8bd-aec0b677fd30"


CAUSES: dict[str, list[str]] = {
    "instances": [instance_id(t, n, k) for t in "ab" for n in "ab" for k in "ab"],
    "bounds of instances": [instance_id(*p) for p in (("a", "bc", "d"), ("ab", "c", "d"))],
    "bounds of keys": [instance_id("", "a", "bc"), instance_id("", "ab", "c")],
    "children": [child_id("r", "s"), child_id("rs", ""), child_id("", "rs")],
    "poison": [poison_id("t", p, o) for p in (1, 11) for o in (1, 11)],
    "letters": [letter_id("i", r, n) for r in ("r1", "r2") for n in ("0/0/1", "0/1/1")],
}


@pytest.mark.parametrize("made", CAUSES.values(), ids=CAUSES)
def test_different_causes_have_different_ids(made: list[str]) -> None:
    assert len(set(made)) == len(made)


def test_a_child_has_another_id_in_every_life_of_its_parent() -> None:
    assert child_id("run-1", "charge") != child_id("run-2", "charge")


@pytest.mark.parametrize("fact", FACTS, ids=named)
def test_the_id_of_a_fact_is_the_same_every_time(fact: Any) -> None:
    assert id_of(fact) == id_of(replace(fact))


def test_the_facts_of_one_life_have_ids_of_their_own() -> None:
    assert len({id_of(fact) for fact in FACTS}) == len(FACTS)


OF_LIVES = [fact for fact in FACTS if not isinstance(fact, f.PartitionFact)]


@pytest.mark.parametrize("fact", OF_LIVES, ids=named)
def test_the_id_of_a_fact_names_its_instance_and_its_life(fact: Any) -> None:
    assert id_of(fact, "other") != id_of(fact)
    assert id_of(replace(fact, run="run-2")) != id_of(fact)


APART: list[tuple[Any, dict[str, Any]]] = [
    (f.StepCompleted("r", "a", 1), {"attempt": 2}),
    (f.StepCompleted("r", "a", 1), {"step": "b"}),
    (f.StepFailed("r", "a", 1, FAILURE, final=True), {"attempt": 2}),
    (f.StepFailed("r", "a", 1, FAILURE, final=True), {"step": "b"}),
    (f.StepReleased("r", "a", "retry", 1), {"attempt": 2}),
    (f.StepReleased("r", "a", "retry", 1), {"number": 1}),
    (f.StepCompensated("r", "a", 1, 1), {"number": 2}),
    (f.StepCompensated("r", "a", 1, 1), {"attempt": 2}),
    (f.CompensationFailed("r", "a", 1, 1, FAILURE, final=True), {"number": 2}),
    (f.CompensationFailed("r", "a", 1, 1, FAILURE, final=True), {"attempt": 2}),
    (f.CompensationRequested("r", 1), {"number": 2}),
    (f.DeadlinePassed("r", 1), {"due": 2}),
    (f.DeadLettered("r", "0/0/1"), {"letter": "1/0/1"}),
    (f.OutcomeDelivered("r", "compensated", 1), {"number": 2}),
    (f.OutcomeDelivered("r", "completed"), {"outcome": "failed"}),
    (l.PermitsExpired("r", 1), {"number": 2}),
    (l.PermitsRefilled("r", 1), {"number": 2}),
    (l.PermitsGranted("r", 1, 1, 1), {"serial": 2}),
    (f.Taken("orders/0/a"), {"owner": "orders/0/b"}),
    (p.Paused("p", "charge"), {"name": "q"}),
    (p.Resumed("p", "charge"), {"name": "q"}),
    (p.BreakerOpened("charge", 1, 9), {"number": 2}),
    (p.BreakerOpened("charge", 1, 9), {"operation": "ship"}),
    (p.BreakerClosed("charge", 1), {"number": 2}),
]


@pytest.mark.parametrize(
    ("fact", "change"), APART, ids=[f"{named(a)}.{next(iter(c))}" for a, c in APART]
)
def test_what_tells_two_facts_of_a_kind_apart_stands_in_the_id(
    fact: Any, change: dict[str, Any]
) -> None:
    assert id_of(replace(fact, **change)) != id_of(fact)


def test_undo_two_attempt_one_is_not_undo_one_attempt_two() -> None:
    assert id_of(f.StepCompensated("r", "a", 2, 1)) != id_of(f.StepCompensated("r", "a", 1, 2))


def test_a_repeat_shows_as_a_repeat_whatever_it_brings() -> None:
    assert id_of(f.StepCompleted("r", "a", 1, "x")) == id_of(f.StepCompleted("r", "a", 1, "y"))
