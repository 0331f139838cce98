"""What each state still wants done, and nothing else."""

from typing import Any

import pytest

from sagalog.engine.instance import Letter
from sagalog.engine.pending import (
    Deadline,
    Deliver,
    End,
    Expire,
    Post,
    Recall,
    Run,
    Send,
    Undo,
    pending,
)
from sagalog.schemas import facts as f
from sagalog.schemas.definition import Definition
from tests.engine.lives import (
    ALONE,
    CANCEL,
    CANCELLED,
    CAREFUL,
    COMPENSATED,
    COMPLETED,
    ERROR,
    PARENT,
    REMOTE,
    STATUSES,
    WIDE,
    Life,
    completed,
    done,
    failed,
    not_undone,
    refused,
    spec,
    undone,
    unreadable,
)

FAR = (spec("a", operation="x/a", undo=None), spec("b", operation="x/b", undo=None))
CASES: dict[str, tuple[Life, list[Any]]] = {
    "first step": (Life(), [Run(0, 1, 0)]),
    "next step": (Life().then(done("a")), [Run(1, 1, 0)]),
    "two branches": (Life(WIDE), [Run(0, 1, 0), Run(1, 1, 0)]),
    "one branch left": (Life(WIDE).then(done("a")), [Run(1, 1, 0)]),
    "tried again later": (Life().then(failed("a", final=False, retry_at=77)), [Run(0, 2, 77)]),
    "last step done": (Life().then(done("a"), done("b"), done("c")), [End("completed")]),
    "completed": (completed(), []),
    "a deadline": (Life(deadline=99), [Run(0, 1, 0), Deadline(99)]),
    "a deadline that came too late": (
        Life(ALONE, deadline=99).then(done("a")),
        [End("completed")],
    ),
    "there": (Life(REMOTE).then(done("a")), [Send(1), Expire(1, 1, 12_030)]),
    "undo": (Life().then(done("a"), CANCEL, undone("b")), [Undo(0, 1, 1, 0)]),
    "undo again": (
        Life().then(CANCEL, not_undone("a", final=False, retry_at=77)),
        [Undo(0, 1, 2, 77)],
    ),
    "undo of a late completion": (Life().then(CANCEL, undone("a"), done("a")), [Undo(0, 2, 1, 0)]),
    "all undone": (Life().then(CANCEL, undone("a")), [End("cancelled")]),
    "compensated": (
        Life(deadline=9).then(f.DeadlinePassed("run", 9), undone("a")),
        [End("compensated")],
    ),
    "cancelled": (Life().then(CANCEL, undone("a"), CANCELLED), []),
    "an orphan": (Life().then(CANCEL, undone("a"), CANCELLED, done("a")), [Undo(0, 2, 1, 0)]),
    "stuck forward": (
        Life(CAREFUL, deadline=99).then(done("a"), failed("b")),
        [Post(Letter(1, 0, 1, ERROR))],
    ),
    "stuck undo": (Life().then(CANCEL, not_undone("a", attempt=1)), [Post(Letter(0, 1, 1, ERROR))]),
    "posted": (Life(ALONE).then(failed("a"), f.DeadLettered("run", "0/0/1")), []),
    "what is far away is called back": (
        Life(Definition("saga", "far", FAR)).then(CANCEL),
        [Undo(1, 1, 1, 0), Recall(0)],
    ),
    "unreadable": (unreadable(), []),
    "child completed": (completed(parent=PARENT), [Deliver("completed", 0)]),
    "child failed": (
        Life(parent=PARENT).then(failed("a", error=ERROR), COMPENSATED),
        [Post(Letter(0, 0, 1, ERROR)), Deliver("failed", 0)],
    ),
    "child cancelled": (
        Life(parent=PARENT).then(CANCEL, undone("a"), CANCELLED),
        [Deliver("failed", 0)],
    ),
    "child told": (
        completed(parent=PARENT).then(f.OutcomeDelivered("run", "completed")),
        [],
    ),
    "child undone": (
        Life(ALONE, parent=PARENT).then(
            done("a"),
            COMPLETED,
            f.CompensationRequested("run", 3),
            undone("a"),
            COMPENSATED,
        ),
        [Deliver("compensated", 3)],
    ),
    "child undone and told": (
        refused().then(f.OutcomeDelivered("run", "compensated", 1)),
        [],
    ),
    "child refused": (refused(), [Deliver("compensated", 1)]),
    "child asked a second time": (
        refused().then(
            f.OutcomeDelivered("run", "compensated", 1), f.CompensationRequested("run", 2)
        ),
        [Deliver("compensated", 2)],
    ),
    "child dead": (
        Life(ALONE, parent=PARENT).then(failed("a", error=f.Failure("unavailable", "", ""))),
        [Post(Letter(0, 0, 1, f.Failure("unavailable", "", "")))],
    ),
}


@pytest.mark.parametrize(("life", "wanted"), CASES.values(), ids=CASES)
def test_what_a_state_wants(life: Life, wanted: list[Any]) -> None:
    assert pending(life.state) == wanted


@pytest.mark.parametrize("status", STATUSES)
def test_asking_changes_nothing(status: str) -> None:
    state = STATUSES[status]().state
    assert pending(state) == pending(state)


@pytest.mark.parametrize("status", STATUSES)
def test_no_two_actions_are_the_same(status: str) -> None:
    wanted = pending(STATUSES[status]().state)
    assert len(set(wanted)) == len(wanted)


def test_actions_of_one_shape_are_told_apart_by_their_kind() -> None:
    assert len({Run(0, 1, 5), Expire(0, 1, 5), Send(0), Recall(0)}) == 4
