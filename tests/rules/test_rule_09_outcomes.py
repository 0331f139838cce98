"""Rule 9: completions count from any attempt, failures from this one; one handler at a time."""

from sagalog.engine.results import Returned
from sagalog.schemas import facts as f
from tests.engine.orders import orders
from tests.engine.script import ERROR, TERMINAL
from tests.engine.world import World, run, saga


def held() -> World:
    world = World(orders())
    world.own()
    world.script.hold("charge")
    world.ask(run("charge"), "a")
    world.settle()
    return world


def test_a_former_attempt_s_completion_is_as_good_as_any() -> None:
    world = held()
    zombie = world.owners["orders", 0]
    owner = world.own()
    world.settle()
    owner.finish("charge", ERROR)
    world.settle()
    assert world.status("a") == "running"
    zombie.finish("charge", Returned("of attempt 1"))
    zombie.land()
    world.settle()
    state = world.state("a")
    assert state is not None
    assert (state.status, state.result) == ("completed", "of attempt 1")
    world.later(10)
    assert world.called() == ["charge", "charge"]


def test_a_former_attempt_s_failure_is_stale() -> None:
    world = held()
    zombie = world.owners["orders", 0]
    owner = world.own()
    world.settle()
    owner.finish("charge", ERROR)
    world.settle()
    zombie.finish("charge", TERMINAL)
    zombie.land()
    world.settle()
    assert world.status("a") == "running"
    world.script.let_go("charge")
    world.later(1)
    assert world.status("a") == "completed"


def test_so_is_a_former_attempt_s_failure_of_an_undo() -> None:
    world = World(orders())
    zombie = world.own()
    world.script.hold("release")
    world.script.on("charge", TERMINAL)
    world.ask(saga(), "a")
    world.settle()
    owner = world.own()
    world.settle()
    owner.finish("release", ERROR)
    world.settle()
    zombie.finish("release", TERMINAL)
    zombie.land()
    world.settle()
    assert world.status("a") == "compensating"
    world.script.let_go("release")
    world.later(1)
    assert world.status("a") == "compensated"
    assert world.called().count("release") == 3


def test_the_first_completion_in_the_log_is_the_result_for_ever() -> None:
    world = held()
    zombie = world.owners["orders", 0]
    owner = world.own()
    world.settle()
    owner.finish("charge", Returned("second to start"))
    zombie.finish("charge", Returned("first to start"))
    owner.land()
    zombie.land()
    world.settle()
    state = world.state("a")
    assert state is not None
    assert state.result == "second to start"


def test_one_handler_per_step_at_a_time_in_one_owner() -> None:
    """A zombie's failure makes attempt 2 due while attempt 1 still runs here."""
    world = held()
    owner = world.owners["orders", 0]
    run_ = world.facts("a")[0].run
    world.tell(f.StepFailed(run_, "charge", 1, ERROR, final=False, retry_at=world.now), "a")
    world.settle()
    world.later(5)
    assert len(owner.running) == 1
    owner.finish("charge", ERROR)
    world.settle()
    assert [invocation.context.attempt for _, invocation in owner.running] == [2]


def test_a_result_in_the_log_is_never_computed_again() -> None:
    world = held()
    owner = world.owners["orders", 0]
    owner.finish("charge", Returned(1))
    owner.crash(landed=1)
    world.own()
    world.settle()
    assert world.called() == ["charge"]
    assert world.status("a") == "completed"


def test_branches_of_one_saga_do_run_side_by_side() -> None:
    world = World(orders())
    owner = world.own()
    world.script.hold("reserve", "charge")
    world.ask(saga("wide"), "a")
    world.settle()
    assert len(owner.running) == 2
