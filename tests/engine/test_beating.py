"""Schedules: the fold, and what is due."""

import pytest

from sagalog.engine.beating import firing
from sagalog.engine.lifecycle import phase
from sagalog.engine.pending import End, Fire, pending
from sagalog.engine.rows import Definitions, pack, unpack
from sagalog.schemas import facts as f
from sagalog.schemas.requests import CatchUp, Plan, StepData
from tests.engine.lives import CANCEL, CANCELLED, COMPLETED, done, fired, replaced, scheduled

MINUTE, HOUR = 60_000, 3_600_000

# -- the fold


def test_it_waits_for_its_time_and_then_for_the_next() -> None:
    life = scheduled()
    assert pending(life.state) == [Fire(60_000)]
    life.then(fired(60_000))
    assert pending(life.state) == [Fire(120_000)]
    assert phase(life.state, 0) == phase(life.state, 10**9) == "scheduled"


def test_what_was_passed_over_is_not_what_it_started_last() -> None:
    life = scheduled().then(fired(60_000))
    life.then(fired(120_000, 0))
    assert life.state.beat is not None
    assert (life.state.beat.last, life.state.beat.due) == (60_000, 180_000)


def test_it_ends_where_it_is_never_due_again_and_not_before() -> None:
    life = scheduled().then(COMPLETED)
    assert life.ignored == [COMPLETED]
    life.then(fired(60_000, next_due=0))
    assert pending(life.state) == [End("completed")]
    life.then(fired(0, 5, 10), COMPLETED)
    assert (life.state.status, pending(life.state)) == ("completed", [])


def test_a_cancel_ends_it_and_no_firing_counts_behind_that() -> None:
    late = fired(60_000)
    life = scheduled().then(CANCEL)
    assert pending(life.state) == [End("cancelled")]
    assert life.then(late, CANCELLED, late).ignored == [late, late]
    assert (life.state.status, pending(life.state)) == ("cancelled", [])


def test_facts_of_steps_are_nothing_to_it() -> None:
    before = scheduled().state
    life = scheduled().then(
        done("a"), f.DeadlinePassed("run", 0), f.CompensationRequested("run", 1)
    )
    assert (life.state, len(life.ignored)) == (before, 3)


def test_only_a_newer_request_takes_its_place() -> None:
    life = scheduled().then(replaced(5), replaced(9), replaced(8))
    assert life.ignored == [replaced(5), replaced(8)]
    assert pending(life.state) == [Fire(3_600_000)]
    assert (life.state.fingerprint, life.state.retention, life.state.input) == ("g", 7, b'{"n":2}')


def test_no_time_comes_twice_also_under_another_plan() -> None:
    life = scheduled().then(fired(60_000, 120_000))
    life.then(replaced(9, due=120_000), fired(180_000, next_due=180_000))
    assert len(life.ignored) == 2
    assert pending(life.state) == [Fire(180_000)]


def test_a_firing_by_a_former_plan_does_not_set_the_next_time() -> None:
    life = scheduled().then(replaced(9, due=60_000), fired(60_000), fired(60_000, asked=9))
    assert life.ignored == [fired(60_000)]


def test_what_begins_again_is_another_life_and_facts_of_the_former_do_not_count() -> None:
    life = scheduled().then(CANCEL, CANCELLED, replaced(9))
    assert (life.state.run, life.state.status) == ("run2", "running")
    assert life.then(CANCEL, CANCELLED).ignored == [CANCEL, CANCELLED]


def test_it_survives_its_row() -> None:
    for state in (
        scheduled(plan=Plan("* * * * *", steps=(StepData("charge", after=("a",)),))).state,
        scheduled().then(CANCEL, CANCELLED).state,
    ):
        definitions = Definitions()
        held = state._replace(definition=definitions.intern(state.definition))
        assert unpack(pack(held, definitions), definitions) == state


# -- what is due


@pytest.mark.parametrize(
    ("catch_up", "late", "expected"),
    [
        ("latest", 0, (1, 2)),
        ("latest", 59_999, (1, 2)),
        ("latest", MINUTE, (2, 3)),
        ("latest", 10 * MINUTE + 7, (11, 12)),
        ("latest", 10 * HOUR, (601, 602)),
        ("all", 0, (1, 2)),
        ("all", 10 * MINUTE, (1, 2)),
        ("all", HOUR, (7, 8)),  # what is older than nine tenths of the hour is passed over
        ("none", 0, (1, 2)),
        ("none", 10 * MINUTE + 7, (11, 12)),
    ],
)
def test_what_is_started_of_that_which_was_due(
    catch_up: CatchUp, late: int, expected: tuple[int, int]
) -> None:
    state = scheduled(plan=Plan("* * * * *", catch_up=catch_up)).state
    assert firing(state, MINUTE, MINUTE + late) == tuple(n * MINUTE for n in expected)


@pytest.mark.parametrize(
    ("catch_up", "late", "expected"),
    [("none", 60_000, HOUR), ("none", 60_001, 0), ("latest", 54 * MINUTE, HOUR)],
)
def test_what_comes_late_is_missed_where_none_are_caught_up(
    catch_up: CatchUp, late: int, expected: int
) -> None:
    state = scheduled(plan=Plan("0 * * * *", catch_up=catch_up)).state
    assert firing(state, HOUR, HOUR + late) == (expected, 2 * HOUR)


@pytest.mark.parametrize("catch_up", ["latest", "all"])
def test_what_was_missed_longer_ago_than_results_are_kept_is_passed_over(catch_up: CatchUp) -> None:
    state = scheduled(plan=Plan("0 0 * * *", catch_up=catch_up)).state
    assert firing(state, 24 * HOUR, 26 * HOUR) == (0, 48 * HOUR)
