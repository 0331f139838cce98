"""Parked and ended: how an instance that has turned back, or stands still, comes out again."""

from typing import Literal

import pytest

from sagalog.schemas import facts as f
from sagalog.schemas.definition import Definition
from tests.engine.lives import (
    ALONE,
    AWAY,
    CANCEL,
    CANCELLED,
    CAREFUL,
    COMPENSATED,
    COMPLETED,
    PARENT,
    STATUSES,
    TERMINAL,
    TIMEOUT,
    Life,
    completed,
    done,
    failed,
    not_undone,
    released,
    spec,
    undone,
)

How = Literal["retry", "resolve", "skip"]
DUE = 5000
DEADLINE = f.DeadlinePassed("run", DUE)


class TestEnds:
    def test_a_cancelled_instance_ends_as_cancelled(self) -> None:
        life = Life().then(CANCEL, undone("a"), COMPENSATED)
        assert life.state.status == "compensating"
        assert life.then(CANCELLED).state.status == "cancelled"

    def test_any_other_as_compensated(self) -> None:
        life = Life(deadline=DUE).then(DEADLINE, undone("a"), CANCELLED)
        assert life.state.status == "compensating"
        assert life.then(COMPENSATED).state.status == "compensated"

    @pytest.mark.parametrize("end", [COMPENSATED, CANCELLED])
    def test_not_while_anything_is_to_be_undone(self, end: f.Fact) -> None:
        assert Life().then(CANCEL, end).state.status == "compensating"
        assert Life().then(failed("a", error=TIMEOUT), end).state.status == "compensating"


class TestParked:
    @pytest.mark.parametrize(
        ("life", "parked"),
        [
            (lambda: Life(CAREFUL).then(done("a"), failed("b")), True),
            (lambda: Life(CAREFUL).then(done("a"), failed("b", error=TERMINAL)), False),
            (lambda: Life(CAREFUL).then(failed("a")), False),
            (lambda: Life().then(failed("a", error=AWAY)), True),
            (lambda: Life(ALONE).then(failed("a", error=TERMINAL)), True),
            (lambda: Life(ALONE, parent=PARENT).then(failed("a")), False),
        ],
        ids=["parks", "terminal", "turns back", "away", "alone", "child"],
    )
    def test_what_parks_instead_of_turning_back(self, life: object, *, parked: bool) -> None:
        assert callable(life)
        assert (life().state.status in ("stuck", "dead")) is parked

    def test_a_late_completion_moves_a_parked_step_on(self) -> None:
        life = Life(CAREFUL).then(done("a"), failed("b"), done("b"))
        assert life.state.status == "running"
        assert life.then(COMPLETED).state.status == "completed"

    @pytest.mark.parametrize("how", ["retry", "resolve", "skip"])
    @pytest.mark.parametrize(
        ("status", "step", "number", "may"),
        [
            ("stuck forward", "b", 0, True),
            ("stuck forward", "b", 1, False),
            ("stuck forward", "a", 0, False),
            ("stuck undo", "a", 1, True),
            ("stuck undo", "a", 0, False),
            ("stuck undo", "b", 0, False),
            ("dead", "a", 0, True),
            ("dead", "zzz", 0, False),
            ("running", "b", 0, False),
            ("compensating", "a", 1, False),
        ],
    )
    def test_only_what_is_parked_can_be_released(
        self, status: str, step: str, number: int, how: How, *, may: bool
    ) -> None:
        life = STATUSES[status]().then(released(step, how, number=number))
        assert bool(life.ignored) is not may

    @pytest.mark.parametrize("how", ["retry", "resolve", "skip"])
    def test_a_person_moves_a_parked_step_on(self, how: How) -> None:
        life = STATUSES["stuck forward"]().then(released("b", how))
        step = life.state.steps[1]
        assert life.state.status == "running"
        assert (step.status, step.attempt, step.spent) == (
            ("ready", 2, 0) if how == "retry" else ("completed", 1, 1)
        )

    @pytest.mark.parametrize("how", ["retry", "resolve", "skip"])
    def test_a_person_moves_a_stuck_undo_on(self, how: How) -> None:
        life = STATUSES["stuck undo"]().then(released("a", how, number=1))
        assert life.state.status == "compensating"
        assert life.undoing() == (["a"] if how == "retry" else [])

    def test_a_release_counts_once(self) -> None:
        life = STATUSES["stuck forward"]()
        life.then(released("b"), failed("b", 2))
        assert life.state.status == "stuck"
        life.then(released("b", "skip"))
        assert life.state.status == "stuck"

    def test_a_release_of_the_step_is_none_of_its_undo(self) -> None:
        release = released("b", "skip")
        steps = (*CAREFUL.steps, spec("c", after=("b",)))
        life = Life(Definition("saga", "s", steps)).then(done("a"), failed("b"), release)
        life.then(failed("c", error=TERMINAL), not_undone("b"))
        assert life.state.status == "stuck"
        assert life.then(release).undoing() == ["b", "a"]

    def test_a_stuck_undo_behind_the_end_leaves_the_end(self) -> None:
        life = Life().then(CANCEL, undone("a"), CANCELLED, done("a"), not_undone("a", 2))
        assert life.state.status == "stuck"
        assert life.then(undone("a", 2)).state.status == "cancelled"

    @pytest.mark.parametrize("how", ["retry", "resolve", "skip"])
    def test_a_step_that_runs_there_is_never_tried_again(self, how: How) -> None:
        steps = (spec("a", spread=True, exhausted="park"),)
        life = Life(Definition("saga", "s", steps)).then(failed("a"))
        assert life.state.status == "stuck"
        assert bool(life.then(released("a", how)).ignored) is (how == "retry")

    def test_two_parked_steps_both_need_a_hand(self) -> None:
        steps = (spec("a", exhausted="park"), spec("b", exhausted="park"))
        life = Life(Definition("saga", "s", steps)).then(failed("a"), failed("b"))
        life.then(released("a", "skip"))
        assert life.state.status == "stuck"
        assert life.then(released("b", "skip")).state.status == "running"


class TestChildren:
    def test_a_parent_turns_even_a_completed_child_back(self) -> None:
        life = completed(parent=PARENT).then(f.CompensationRequested("run", 1))
        assert (life.state.status, life.undoing()) == ("compensating", ["c", "b", "a"])
        life.then(undone("c"), undone("b"), undone("a"), COMPENSATED)
        assert life.state.status == "compensated"

    def test_an_instance_without_a_parent_is_not_turned_by_one(self) -> None:
        assert completed().then(f.CompensationRequested("run", 1)).ignored

    def test_an_undo_counts_once_by_its_number(self) -> None:
        life = completed(parent=PARENT).then(f.CompensationRequested("run", 2))
        assert life.then(f.CompensationRequested("run", 1)).ignored
        assert life.then(f.CompensationRequested("run", 2)).state.undo_number == 2

    def test_a_child_between_its_last_step_and_its_end_turns_back_too(self) -> None:
        life = Life(ALONE, parent=PARENT).then(done("a"), f.CompensationRequested("run", 1))
        life.then(COMPLETED)
        assert life.undoing() == ["a"]
