"""Turning back: what is undone, in which order, and how an instance comes out again."""

from typing import Literal

import pytest

from sagalog.schemas import facts as f
from sagalog.schemas.definition import Definition
from tests.engine.lives import (
    ALONE,
    CANCEL,
    CANCELLED,
    CAREFUL,
    COMPLETED,
    ERROR,
    REMOTE,
    STATUSES,
    TERMINAL,
    TIMEOUT,
    WIDE,
    Life,
    done,
    failed,
    released,
    spec,
    undone,
)

How = Literal["retry", "resolve", "skip"]
DUE = 5000
DEADLINE = f.DeadlinePassed("run", DUE)


class TestWhatIsUndone:
    def test_completed_steps_in_reverse_of_their_completion(self) -> None:
        assert Life(WIDE).then(done("b"), done("a"), failed("c")).undoing() == ["a", "b"]
        assert Life(WIDE).then(done("a"), done("b"), failed("c")).undoing() == ["b", "a"]

    def test_not_the_step_that_failed(self) -> None:
        assert Life().then(done("a"), failed("b", error=TERMINAL)).undoing() == ["a"]

    def test_not_a_step_that_was_never_ready(self) -> None:
        assert Life().then(CANCEL).undoing() == ["a"]

    def test_not_a_step_that_has_no_undo(self) -> None:
        steps = (spec("a"), spec("b", undo=None, after=("a",)), spec("c", after=("b",)))
        life = Life(Definition("saga", "s", steps)).then(done("a"), done("b"), failed("c"))
        assert life.undoing() == ["a"]

    def test_a_step_that_runs_there_needs_no_undo_here(self) -> None:
        assert Life(REMOTE).then(done("a"), CANCEL).undoing() == ["b", "a"]

    @pytest.mark.parametrize("turn", [CANCEL, DEADLINE, failed("a", error=TERMINAL)])
    def test_steps_under_way_come_before_the_completed_ones(self, turn: f.Fact) -> None:
        life = Life(WIDE, deadline=DUE).then(done("b"), turn)
        expected = ["b"] if isinstance(turn, f.StepFailed) else ["a", "b"]
        assert life.undoing() == expected

    @pytest.mark.parametrize("kind", [TIMEOUT, f.Failure("invalid", "InvalidResult", "")])
    def test_a_step_that_nobody_knows_of_is_undone(self, kind: f.Failure) -> None:
        assert Life().then(failed("a", error=kind)).undoing() == ["a"]

    def test_also_when_only_an_earlier_call_timed_out(self) -> None:
        life = Life().then(failed("a", error=TIMEOUT, final=False), failed("a", 2, error=TERMINAL))
        assert life.undoing() == ["a"]

    def test_a_step_is_undone_that_failed_under_another_owner_than_it_was_ready_under(self) -> None:
        assert Life().take().then(failed("a")).undoing() == ["a"]
        assert Life().take().then(done("a"), failed("b")).undoing() == ["a"]

    @pytest.mark.parametrize("definition", [CAREFUL, ALONE], ids=["saga", "operation"])
    @pytest.mark.parametrize("doubt", ["timeout", "taken"])
    def test_doubt_outlasts_being_parked(self, definition: Definition, doubt: str) -> None:
        life, step = Life(definition), "a"
        if definition is CAREFUL:
            life, step = life.then(done("a")), "b"
        if doubt == "taken":
            life.take()
        life.then(failed(step, error=TIMEOUT if doubt == "timeout" else ERROR))
        assert life.state.status in ("stuck", "dead")
        assert life.then(CANCEL).undoing()[0] == step

    def test_doubt_outlasts_being_tried_again_by_hand(self) -> None:
        life = Life(CAREFUL).then(done("a")).take().then(failed("b"))
        life.then(released("b"), failed("b", 2, error=TERMINAL))
        assert life.undoing() == ["b", "a"]


class TestWhoMayTurn:
    @pytest.mark.parametrize(
        ("status", "may"),
        [
            ("running", True),
            ("dead", True),
            ("stuck forward", True),
            ("compensating", False),
            ("stuck undo", False),
            ("completed", False),
            ("compensated", False),
            ("cancelled", False),
            ("refused", False),
        ],
    )
    def test_what_has_not_turned_yet(self, status: str, *, may: bool) -> None:
        assert bool(STATUSES[status]().then(CANCEL).ignored) is not may

    @pytest.mark.parametrize("turn", [CANCEL, DEADLINE])
    def test_not_one_whose_last_step_is_completed(self, turn: f.Fact) -> None:
        life = Life(deadline=DUE).then(done("a"), done("b"), done("c"), turn)
        assert life.state.status == "running"
        assert life.then(COMPLETED).state.status == "completed"

    def test_a_deadline_counts_for_the_time_that_it_was_set_for(self) -> None:
        life = Life(deadline=DUE).then(f.DeadlinePassed("run", DUE - 1))
        assert life.state.status == "running"
        assert life.then(DEADLINE).state.error == f.Failure(
            "timeout", "Deadline", "the deadline passed"
        )


class TestLate:
    def test_a_completion_read_while_its_undo_runs_makes_one_more(self) -> None:
        life = Life().then(done("a"), CANCEL)
        assert life.undoing() == ["b", "a"]
        life.then(done("b", result="late"))
        assert life.undoing() == ["b", "a"]
        assert life.then(undone("b", 1)).undoing() == ["b", "a"]
        assert life.then(undone("b", 2)).undoing() == ["a"]

    def test_it_comes_next_even_when_another_undo_is_under_way(self) -> None:
        life = Life().then(done("a"), CANCEL, undone("b"), done("b"))
        assert life.undoing() == ["b", "a"]
        assert life.then(undone("a")).undoing() == ["b", "a"]

    def test_behind_the_end_it_is_undone_and_the_end_stays(self) -> None:
        life = Life().then(CANCEL, undone("a"), CANCELLED, done("a"))
        assert (life.state.status, life.undoing()) == ("cancelled", ["a"])
        life.then(f.Forgotten("run"))
        assert life.then(undone("a", 2)).undoing() == []
        assert life.then(f.Forgotten("run")).instance is None

    def test_a_second_late_completion_of_the_same_step_makes_no_third_undo(self) -> None:
        life = Life().then(CANCEL, done("a"), done("a", result="again"))
        assert life.state.steps[0].undos == 2

    def test_one_that_cannot_be_undone_is_only_noted(self) -> None:
        steps = (spec("a", undo=None),)
        life = Life(Definition("saga", "s", steps)).then(CANCEL, done("a"))
        assert (life.undoing(), life.statuses()) == ([], ["completed"])

    def test_a_failure_that_comes_late_changes_nothing(self) -> None:
        assert Life().then(CANCEL, failed("a")).undoing() == ["a"]
