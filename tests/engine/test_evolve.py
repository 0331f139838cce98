"""The fold, fact by fact and status by status."""

from dataclasses import replace
from typing import Any, get_args

import pytest

from sagalog.engine.evolve import Here, evolve, forgettable
from sagalog.schemas import facts as f
from sagalog.schemas import limits as l
from sagalog.schemas import pauses as p
from tests.engine.lives import (
    ALONE,
    CANCEL,
    CANCELLED,
    COMPENSATED,
    COMPLETED,
    ERROR,
    PARENT,
    STATUSES,
    TERMINAL,
    Life,
    done,
    failed,
    fired,
    not_undone,
    refused,
    released,
    replaced,
    schedule_started,
    undone,
)

FACTS: dict[str, Any] = {
    "started": f.Started("other", ALONE, {}, "f", "normal", 9, 60_000),
    "refused": f.Refused("other", 60_000, "compensations", 9, 1, PARENT),
    "schedule started": replace(schedule_started(), run="other"),
    "fired": fired(60_000),
    "fired for another time": fired(120_000),
    "replaced": replaced(6),
    "replaced by what is older": replaced(5),
    "done a": done("a"),
    "done b": done("b"),
    "done late": done("c"),
    "done by nobody": done("zzz"),
    "further": f.StepProgressed("run", "b", 1, 1, 0.5),
    "further in another attempt": f.StepProgressed("run", "b", 2, 1, 0.5),
    "failed once": failed("b", final=False, retry_at=20_000),
    "failed for good": failed("b", error=TERMINAL),
    "failed of another attempt": failed("b", attempt=7, error=TERMINAL),
    "undone": undone("a"),
    "undone of another number": undone("a", 7),
    "not undone": not_undone("a"),
    "not undone once": not_undone("a", final=False, retry_at=20_000),
    "cancel": CANCEL,
    "undo asked": f.CompensationRequested("run", 1),
    "deadline": f.DeadlinePassed("run", 99),
    "released a": released("a"),
    "released b": released("b", "resolve"),
    "released the undo of a": released("a", number=1),
    "claim released": f.ClaimReleased("run", 1),
    "claim expired": f.ClaimExpired("run", 1),
    "another claim expired": f.ClaimExpired("run", 2),
    "completed": COMPLETED,
    "compensated": COMPENSATED,
    "cancelled": CANCELLED,
    "dead-lettered": f.DeadLettered("run", "1/0/1"),
    "delivered": f.OutcomeDelivered("run", "completed"),
    "undo delivered": f.OutcomeDelivered("run", "compensated", 1),
    "forgotten": f.Forgotten("run", {"normal": 9}),
    "taken": f.Taken("somebody"),
    "permits asked": l.PermitsAsked("run", 1, 0, "a", "", 0, 1, l.UNLIMITED),
    "permits expired": l.PermitsExpired("run", 1),
    "permits refilled": l.PermitsRefilled("run", 1),
    "permits granted": l.PermitsGranted("run", 1, 1, 1),
    "limit set": l.LimitSet("run", "a"),
    "paused": p.Paused("p", "a"),
    "resumed": p.Resumed("p", "a"),
    "opened": p.BreakerOpened("a", 1, 99),
    "closed": p.BreakerClosed("a", 1),
}

# What each status makes of each fact: the status that follows, "gone", or, where the
# fact changes anything else, "changed". What is not listed is ignored.
CHANGES: dict[str, dict[str, str]] = {
    "running": {
        "done b": "changed",
        "further": "changed",
        "failed once": "changed",
        "failed for good": "compensating",
        "cancel": "compensating",
    },
    "claimed": {
        "done a": "changed",
        "claim released": "changed",
        "claim expired": "changed",
    },
    "compensating": {
        "done b": "changed",
        "undone": "changed",
        "not undone": "stuck",
        "not undone once": "changed",
        "dead-lettered": "changed",
    },
    "cancelling": {"done b": "changed"},
    "completed": {"forgotten": "gone"},
    "completed child": {"undo asked": "compensating"},
    "compensated": {"done a": "changed"},
    "cancelled": {"done a": "changed", "forgotten": "gone"},
    "dead": {"done a": "running", "cancel": "compensating", "released a": "running"},
    "stuck forward": {
        "done b": "running",
        "cancel": "compensating",
        "released b": "running",
        "dead-lettered": "changed",
    },
    "stuck undo": {
        "done b": "changed",
        "undone": "compensating",
        "released the undo of a": "compensating",
        "dead-lettered": "changed",
    },
    "refused": {},
    "unreadable": {},
    "scheduled": {"cancel": "compensating", "fired": "changed", "replaced": "changed"},
    "scheduled no more": {"replaced": "running", "forgotten": "gone"},
}
# An outcome is delivered whatever the status: it is noted, and changes no status.
NOTED = ("delivered", "undo delivered")


def test_the_tables_know_every_fact_and_every_status() -> None:
    assert {type(fact) for fact in FACTS.values()} == set(get_args(f.Fact))
    assert CHANGES.keys() == STATUSES.keys()


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("status", STATUSES)
def test_every_fact_in_every_status(status: str, fact: str) -> None:
    life = STATUSES[status]()
    before = life.state
    after = evolve(before, FACTS[fact], life.here())
    expected = CHANGES[status].get(fact, "ignored")
    if fact in NOTED and status != "unreadable":
        assert after is not None
        assert after.status == before.status
    elif expected == "ignored":
        assert after is before
    elif expected == "gone":
        assert after is None
    else:
        assert after is not None
        assert after is not before
        assert after.status == (before.status if expected == "changed" else expected)
        assert after.offset == life.offset


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("status", STATUSES)
def test_a_fact_of_another_run_changes_nothing(status: str, fact: str) -> None:
    life = STATUSES[status]()
    if hasattr(FACTS[fact], "run"):
        assert evolve(life.state, replace(FACTS[fact], run="stale"), life.here()) is life.state


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("status", STATUSES)
def test_a_fact_that_has_been_folded_changes_nothing(status: str, fact: str) -> None:
    life = STATUSES[status]()
    here = Here(life.state.offset, life.time, 99, {"normal": 0})
    assert evolve(life.state, FACTS[fact], here) is life.state


@pytest.mark.parametrize("fact", [fact for fact in FACTS if fact != "undo delivered"])
@pytest.mark.parametrize("status", STATUSES)
def test_a_repeat_of_a_fact_changes_nothing(status: str, fact: str) -> None:
    life = STATUSES[status]().then(FACTS[fact])
    once = life.instance
    assert life.then(FACTS[fact]).instance is once


def test_a_repeat_of_an_undo_s_delivery_changes_nothing() -> None:
    life = Life(parent=PARENT).then(f.OutcomeDelivered("run", "compensated", 1))
    once = life.instance
    assert life.then(f.OutcomeDelivered("run", "compensated", 1)).instance is once


@pytest.mark.parametrize("fact", FACTS)
def test_without_an_instance_only_a_first_fact_makes_one(fact: str) -> None:
    after = evolve(None, FACTS[fact], Here(10, 0))
    assert (after is not None) == (fact in ("started", "refused", "schedule started"))


class TestStarted:
    def test_the_first_steps_are_ready(self) -> None:
        assert Life().statuses() == ["ready", "waiting", "waiting"]

    def test_all_that_the_request_said_is_kept(self) -> None:
        said: dict[str, Any] = {
            "key": "k",
            "priority": "high",
            "deadline": 5,
            "tenant": "t",
            "confirm": True,
        }
        state = Life(**said, parent=PARENT).state
        assert {name: getattr(state, name) for name in said} == said
        assert (state.parent, state.started_at, state.offset) == (PARENT, 11_000, 10)

    def test_one_from_below_the_low_water_is_ignored(self) -> None:
        first = f.Started("run", ALONE, {}, "f", "high", 4, 0)
        assert evolve(None, first, Here(10, 0, -1, {"high": 5})) is None
        assert evolve(None, first, Here(10, 0, -1, {"high": 4, "low": 9})) is not None

    def test_a_refusal_from_below_the_low_water_is_ignored(self) -> None:
        first = f.Refused("run", 0, "compensations", 4, 1, PARENT)
        assert evolve(None, first, Here(10, 0, -1, {"compensations": 5})) is None


class TestForward:
    def test_a_step_is_ready_when_all_before_it_are_completed(self) -> None:
        assert Life().then(done("a")).statuses() == ["completed", "ready", "waiting"]

    def test_a_completion_of_a_step_that_is_not_ready_is_ignored(self) -> None:
        assert Life().then(done("b")).statuses() == ["ready", "waiting", "waiting"]

    def test_a_completion_counts_from_any_attempt(self) -> None:
        life = Life().then(failed("a", final=False), done("a", attempt=1, result="late"))
        assert life.state.steps[0].result == "late"

    def test_the_first_completion_wins(self) -> None:
        life = Life().then(done("a", result="first"), done("a", result="second"))
        assert life.state.steps[0].result == "first"

    def test_a_failure_counts_for_the_current_attempt_only(self) -> None:
        life = Life().then(failed("a", 1, final=False), failed("a", 1, error=TERMINAL))
        assert life.state.status == "running"
        assert life.then(failed("a", 2, error=TERMINAL)).state.status == "compensating"

    def test_a_failure_that_is_tried_again_is_counted(self) -> None:
        step = Life().then(failed("a", final=False, retry_at=77)).state.steps[0]
        assert (step.attempt, step.spent, step.retry_at, step.error) == (2, 1, 77, ERROR)

    def test_one_that_uses_no_attempt_is_not(self) -> None:
        step = Life().then(failed("a", final=False, counted=False)).state.steps[0]
        assert (step.attempt, step.spent) == (2, 0)

    def test_a_completed_saga_has_the_results_of_its_steps(self) -> None:
        life = Life().then(done("a", result=1), done("b", result=None), done("c", result=[3]))
        state = life.then(COMPLETED).state
        assert (state.result, state.ended_at) == ({"a": 1, "b": None, "c": [3]}, life.time)

    def test_an_operation_alone_has_its_own(self) -> None:
        assert Life(ALONE).then(done("a", result=7), COMPLETED).state.result == 7


class TestFollowing:
    def test_a_refused_child_has_answered_its_first_undo(self) -> None:
        assert (refused().state.undo_number, refused().state.ended) == (1, True)

    @pytest.mark.parametrize("letter", ["0/0/2", "1/0/1", "9/9/9"])
    def test_a_dead_letter_of_another_failure_changes_nothing(self, letter: str) -> None:
        life = Life(ALONE).then(failed("a"))
        assert life.then(f.DeadLettered("run", letter)).ignored

    def test_the_dead_letter_of_its_failure_is_crossed_off(self) -> None:
        life = Life(ALONE).then(failed("a"), f.DeadLettered("run", "0/0/1"))
        assert life.state.letters == ()

    def test_low_water_leaves_with_the_instance(self) -> None:
        life = STATUSES["completed"]()
        assert forgettable(life.state)
        assert life.then(f.Forgotten("run")).instance is None
