"""From how a call ended to its fact: attempts, waits, and when it is final."""

import pytest

from sagalog.engine.pending import Run, Undo
from sagalog.engine.results import Result, Returned, fact_of
from sagalog.schemas import facts as f
from sagalog.schemas.definition import Definition, RetrySpec
from tests.engine.lives import (
    AWAY,
    CANCEL,
    ERROR,
    TERMINAL,
    TIMEOUT,
    Life,
    failed,
    not_undone,
    spec,
)

RETRY = RetrySpec(max_attempts=3, first=100, factor=2, longest=1000, jitter=0, give_up_after=5_000)
ONE = Definition("saga", "one", (spec("a", retry=RETRY, undo_retry=RETRY),))
NOW = 20_000


def call(life: Life, result: Result, attempt: int = 1, now: int = NOW) -> f.StepFailed:
    fact = fact_of(life.state, Run(0, attempt, 0), result, now)
    assert isinstance(fact, f.StepFailed)
    return fact


def undo(life: Life, result: Result, attempt: int = 1, now: int = NOW) -> f.CompensationFailed:
    fact = fact_of(life.state, Undo(0, 1, attempt, 0), result, now)
    assert isinstance(fact, f.CompensationFailed)
    return fact


def test_a_result_completes_the_step() -> None:
    fact = fact_of(Life(ONE).state, Run(0, 1, 0), Returned({"x": 1}), NOW)
    assert fact == f.StepCompleted("run", "a", 1, {"x": 1})


def test_an_undo_that_returns_is_done_whatever_it_returns() -> None:
    fact = fact_of(Life(ONE).then(CANCEL).state, Undo(0, 1, 2, 0), Returned("x"), NOW)
    assert fact == f.StepCompensated("run", "a", 1, 2)


@pytest.mark.parametrize("error", [ERROR, TIMEOUT])
class TestCounted:
    def test_a_failure_is_tried_again_after_the_wait(self, error: f.Failure) -> None:
        fact = call(Life(ONE), error)
        assert fact == f.StepFailed("run", "a", 1, error, final=False, retry_at=NOW + 100)

    def test_the_wait_grows_with_the_attempts_used_up(self, error: f.Failure) -> None:
        life = Life(ONE).then(failed("a", final=False))
        assert call(life, error, 2).retry_at == NOW + 200

    def test_the_last_attempt_is_final(self, error: f.Failure) -> None:
        life = Life(ONE).then(failed("a", final=False), failed("a", 2, final=False))
        fact = call(life, error, 3)
        assert (fact.final, fact.retry_at, fact.counted) == (True, 0, True)

    def test_so_it_is_for_an_undo(self, error: f.Failure) -> None:
        life = Life(ONE).then(CANCEL)
        first = undo(life, error)
        assert (first.final, first.retry_at) == (False, NOW + 100)
        life.then(not_undone("a", final=False), not_undone("a", attempt=2, final=False))
        assert undo(life, error, 3).final


@pytest.mark.parametrize("kind", ["terminal", "invalid", "cancelled"])
def test_these_are_final_at_once(kind: f.FailureKind) -> None:
    error = f.Failure(kind, "E", "")
    assert call(Life(ONE), error).final
    assert undo(Life(ONE).then(CANCEL), error).final


class TestAway:
    def test_it_uses_no_attempt(self) -> None:
        fact = call(Life(ONE), AWAY)
        assert (fact.final, fact.counted, fact.retry_at) == (False, False, NOW + 100)

    def test_attempts_used_up_elsewhere_do_not_make_it_final(self) -> None:
        life = Life(ONE)
        for attempt in range(1, 5):
            life.then(failed("a", attempt, AWAY, final=False, counted=False))
        assert not call(life, AWAY, 5, now=life.time).final
        assert life.state.steps[0].spent == 0

    def test_it_gives_up_after_its_time(self) -> None:
        life = Life(ONE).then(failed("a", 1, AWAY, final=False, counted=False))
        since = life.time
        assert not call(life, AWAY, 2, now=since + 4_999).final
        assert call(life, AWAY, 2, now=since + 5_000).final

    def test_the_time_begins_anew_when_it_has_been_there_in_between(self) -> None:
        life = Life(ONE).then(failed("a", 1, AWAY, final=False, counted=False))
        since = life.time
        life.then(failed("a", 2, ERROR, final=False))
        assert not call(life, AWAY, 3, now=since + 5_000).final

    def test_so_it_is_for_an_undo(self) -> None:
        life = Life(ONE).then(CANCEL)
        away = f.CompensationFailed("run", "a", 1, 1, AWAY, False, 0, False)
        since = life.then(away).time
        assert not undo(life, AWAY, 2, now=since + 4_999).final
        assert undo(life, AWAY, 2, now=since + 5_000).final
        assert not undo(life, AWAY, 2, now=since + 4_999).counted


def test_the_wait_of_one_call_is_the_same_however_often_it_is_worked_out() -> None:
    jittery = Definition("saga", "s", (spec("a", retry=RetrySpec(jitter=0.5)),))
    assert call(Life(jittery), ERROR) == call(Life(jittery), ERROR)


def test_the_waits_of_two_lives_differ() -> None:
    jittery = Definition("saga", "s", (spec("a", retry=RetrySpec(jitter=0.5)),))
    waits = {call(Life(jittery, run=f"run-{n}"), ERROR).retry_at for n in range(20)}
    assert len(waits) > 10
    assert all(NOW + 250 <= wait <= NOW + 500 for wait in waits)


def test_what_runs_there_is_not_tried_again_from_here() -> None:
    there = Definition("saga", "s", (spec("a", spread=True),))
    fact = call(Life(there), TIMEOUT)
    assert (fact.final, fact.retry_at) == (True, 0)


def test_a_terminal_failure_keeps_what_was_said() -> None:
    assert call(Life(ONE), TERMINAL).error == TERMINAL
