"""Rule 6: an end is accepted only where exactly it is asked for; in flight ends when read back."""

from collections.abc import Callable

import pytest

from sagalog.engine.pending import End, pending
from sagalog.engine.results import Returned
from sagalog.schemas import facts as f
from sagalog.schemas.requests import Cancel
from tests.engine.lives import (
    CANCEL,
    CANCELLED,
    COMPENSATED,
    COMPLETED,
    STATUSES,
    Life,
    done,
)
from tests.engine.orders import orders
from tests.engine.script import TERMINAL
from tests.engine.world import World, run, saga

ENDS = {"completed": COMPLETED, "compensated": COMPENSATED, "cancelled": CANCELLED}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("status", [*STATUSES, "all done", "all undone", "all called off"])
def test_an_end_changes_only_what_asks_for_it(status: str, end: str) -> None:
    last: dict[str, Callable[[], Life]] = {
        "all done": lambda: Life().then(done("a"), done("b"), done("c")),
        "all undone": lambda: Life().then(f.StepFailed("run", "a", 1, TERMINAL, final=True)),
        "all called off": lambda: Life().then(CANCEL, f.StepCompensated("run", "a", 1)),
    }
    life = {**STATUSES, **last}[status]()
    asked = End(end) in pending(life.state)  # type: ignore[arg-type]
    assert bool(life.then(ENDS[end]).ignored) is not asked
    if asked:
        assert life.state.status == end


def test_a_saga_whose_last_step_completed_can_no_longer_turn_back() -> None:
    world = World(orders())
    owner = world.own()
    world.script.hold("charge")
    world.ask(run("charge"), "a")
    world.settle()
    run_ = world.facts("a")[0].run
    owner.finish("charge", Returned(1))
    owner.land(1)
    for fact in (f.CancelRequested(run_), f.DeadlinePassed(run_, 5)):
        world.tell(fact, "a")
    world.settle()
    assert world.status("a") == "completed"
    assert world.called() == ["charge"]


def test_a_completed_that_a_cancel_overtook_is_ignored() -> None:
    """The end was appended together with the last result; the cancel came between the two."""
    world = World(orders())
    owner = world.own()
    world.script.hold("charge")
    world.ask(run("charge"), "a")
    world.settle()
    run_ = world.facts("a")[0].run
    owner.finish("charge", Returned(1))
    world.tell(f.CancelRequested(run_), "a")
    world.settle()
    assert world.kinds("a").count("Completed") == 1
    assert world.status("a") == "cancelled"
    assert world.called() == ["charge", "refund"]


def test_a_zombie_s_end_does_not_hide_a_step_that_is_still_to_be_undone() -> None:
    world = World(orders())
    world.own()
    world.script.on("ship", TERMINAL)
    world.script.hold("refund")
    world.ask(saga(), "a")
    world.settle()
    run_ = world.facts("a")[0].run
    for end in (f.Compensated(run_), f.Cancelled(run_), f.Completed(run_)):
        world.tell(end, "a")
    world.settle()
    assert world.status("a") == "compensating"
    world.script.let_go("refund")
    world.settle()
    assert world.called()[-1] == "release"


def test_what_is_in_flight_ends_when_it_is_read_back_not_when_it_is_appended() -> None:
    world = World(orders())
    owner = world.own()
    world.script.hold("charge")
    world.ask(run("charge"), "a")
    world.settle()
    run_ = world.facts("a")[0].run
    world.tell(f.DeadLettered(run_, "a stale fact that touches the instance"), "a")
    owner.finish("charge", Returned(1))
    owner.land()
    owner.fold(1)
    owner.begin()
    assert world.called() == ["charge"]
    assert not owner.outbox
    world.settle()
    assert world.called() == ["charge"]


def test_one_that_was_not_accepted_ends_too_and_what_is_wanted_is_done_again() -> None:
    """The own failure of attempt 1 comes behind a zombie's: attempt 2 must still start."""
    world = World(orders())
    owner = world.own()
    world.script.hold("charge")
    world.ask(run("charge"), "a")
    world.settle()
    run_ = world.facts("a")[0].run
    error = f.Failure("error", "E", "the zombie's")
    world.tell(f.StepFailed(run_, "charge", 1, error, final=False, retry_at=world.now), "a")
    owner.finish("charge", error)
    world.settle()
    world.script.let_go("charge")
    world.settle()
    assert world.status("a") == "completed"
    assert [call.context.attempt for call in world.calls] == [1, 2]


def test_an_end_has_one_time_and_nothing_of_it_is_written_after() -> None:
    world = World(orders())
    world.own()
    world.ask(saga(), "a")
    world.settle()
    before = world.state("a")
    world.ask(Cancel(), "a")
    world.later(10**6)
    assert world.state("a") == before
    assert world.kinds("a")[-1] == "Completed"
