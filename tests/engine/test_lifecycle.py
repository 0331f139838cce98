"""The finer phases of what runs, and a state machine without dead ends."""

from typing import get_args

from sagalog.engine.instance import ENDED, PARKED, Status
from sagalog.engine.lifecycle import FIRST, TRANSITIONS, phase
from sagalog.schemas import facts as f
from tests.engine.lives import CHAIN, ERROR, REMOTE, Life


def failed(retry_at: int) -> f.StepFailed:
    return f.StepFailed("run", "a", 1, ERROR, final=False, retry_at=retry_at)


def test_what_has_its_time_to_begin_ahead_is_scheduled() -> None:
    state = Life(CHAIN, not_before=50_000).state
    assert [phase(state, now) for now in (49_999, 50_000)] == ["scheduled", "running"]


def test_what_waits_for_its_next_attempt_is_retrying() -> None:
    state = Life(CHAIN).then(failed(50_000)).state
    assert [phase(state, now) for now in (49_999, 50_000)] == ["retrying", "running"]


def test_what_runs_elsewhere_is_running() -> None:
    state = Life(REMOTE).then(f.StepCompleted("run", "a", 1)).state
    assert phase(state, 10**9) == "running"


def test_all_else_is_its_status() -> None:
    assert phase(Life(CHAIN, expired=True).state, 0) == "cancelled"


def test_every_status_can_be_reached_and_none_but_an_end_is_a_dead_end() -> None:
    statuses = set(get_args(Status))
    assert TRANSITIONS.keys() == statuses
    reached = FIRST.union(*TRANSITIONS.values())
    assert reached == statuses
    assert {status for status, after in TRANSITIONS.items() if not after} <= ENDED
    assert {status for status, after in TRANSITIONS.items() if after} >= PARKED
