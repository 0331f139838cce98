"""Rule 8: undos come in reverse of completion, one by one; a dropped one is asked for again."""

import pytest

from sagalog.engine.results import Returned
from sagalog.schemas import facts as f
from sagalog.schemas.requests import Cancel, Compensate, Parent
from tests.engine.orders import orders, payments
from tests.engine.script import ERROR, TERMINAL
from tests.engine.world import World, run, saga

PARENT = Parent("orders", 0, "parent", "parent-run", "charge")


@pytest.fixture
def world() -> World:
    world = World(orders())
    world.own()
    world.settle()
    return world


@pytest.mark.parametrize("first", ["reserve", "charge"])
def test_the_order_is_the_reverse_of_completion_in_the_log(world: World, first: str) -> None:
    second = {"reserve": "charge", "charge": "reserve"}[first]
    undo = {"reserve": "release", "charge": "refund"}
    world.script.hold("reserve", "charge")
    world.script.on("ship", TERMINAL)
    world.ask(saga("wide"), "a")
    world.settle()
    owner = world.owners["orders", 0]
    owner.finish(second, Returned(1))
    owner.finish(first, Returned(1))
    owner.outbox.rotate(1)
    world.settle()
    assert world.called()[-2:] == [undo[second], undo[first]]


def test_the_next_undo_starts_when_the_one_before_is_in_the_log(world: World) -> None:
    world.script.hold("refund", "release")
    world.script.on("ship", TERMINAL)
    world.ask(saga(), "a")
    world.settle()
    owner = world.owners["orders", 0]
    assert world.called()[3:] == ["refund"]
    owner.finish("refund", Returned(None))
    owner.take_in()
    owner.begin()
    assert world.called()[3:] == ["refund"]
    world.settle()
    assert world.called()[3:] == ["refund", "release"]


def test_no_two_undos_of_a_saga_run_at_once_not_even_for_a_late_completion(world: World) -> None:
    zombie = world.owners["orders", 0]
    world.script.hold("charge", "release")
    world.ask(saga(), "a")
    world.settle()
    owner = world.own()
    world.settle()
    world.ask(Cancel(), "a")
    owner.finish("charge", ERROR)
    world.settle()
    assert [invocation.operation for _, invocation in owner.running] == ["release"]
    zombie.finish("charge", Returned("late"))
    zombie.land()
    world.settle()
    assert [invocation.operation for _, invocation in owner.running] == ["release"]
    world.script.let_go("release")
    world.settle()
    assert world.called()[-2:] == ["refund", "release"]
    assert world.status("a") == "cancelled"


def test_an_undo_waits_until_the_forward_handler_has_settled(world: World) -> None:
    world.script.hold("charge")
    world.ask(saga(), "a")
    world.settle()
    world.ask(Cancel(), "a")
    world.settle()
    assert world.called() == ["reserve", "charge"]
    world.script.let_go("charge")
    world.settle()
    assert world.called() == ["reserve", "charge", "refund", "release"]


def test_what_a_former_owner_asked_for_is_dropped_while_the_handler_runs(world: World) -> None:
    """The former owner's `Compensate` comes while this owner's forward handler runs."""
    world.script.hold("charge")
    world.ask(saga(), "a")
    world.settle()
    run_ = world.facts("a")[0].run
    world.tell(f.CancelRequested(run_), "a")
    world.ask(Compensate(1, run_, "charge"), "a", lane="compensations")
    world.settle()
    assert world.called() == ["reserve", "charge"]
    world.script.let_go("charge")
    world.settle()
    assert world.called() == ["reserve", "charge", "refund", "release"]
    assert world.status("a") == "cancelled"


def test_a_dropped_one_is_asked_for_again(world: World) -> None:
    """Asked for, then overtaken by a late completion, dropped on arrival, then due again."""
    zombie = world.owners["orders", 0]
    world.script.hold("charge")
    world.ask(saga(), "a")
    world.settle()
    owner = world.own()
    world.settle()
    world.ask(Cancel(), "a")
    owner.finish("charge", ERROR)
    while len(world.logs["orders.compensations", 0]) < 2:
        for move in (owner.fold, owner.begin, owner.finish, owner.land):
            move()
        owner.take_in("normal")
        if len(world.logs["orders.compensations", 0]) < 2:
            owner.take_in("compensations")
    zombie.finish("charge", Returned("late"))
    zombie.land()
    owner.fold()
    world.settle()
    assert world.called()[-2:] == ["refund", "release"]
    assert world.status("a") == "cancelled"


@pytest.mark.parametrize("request_first", [True, False])
def test_for_an_unknown_child_it_leaves_a_refusal_for_the_late_request(
    *, request_first: bool
) -> None:
    world = World(orders(), payments())
    world.own_all()
    world.settle()
    undo = Compensate(1, parent=PARENT)
    if request_first:
        world.ask(run("charge", parent=PARENT), "child", app="payments")
        world.settle()
    world.ask(undo, "child", lane="compensations", app="payments")
    world.settle()
    world.ask(run("charge", parent=PARENT), "child", app="payments")
    world.settle()
    status = "compensated" if request_first else "refused"
    assert world.status("child", app="payments") == status
    assert world.called() == (["charge", "refund"] if request_first else [])
    assert f.StepCompensated("parent-run", "charge", 1) in world.facts("parent")


def test_a_child_that_is_gone_cannot_be_undone_and_its_saga_waits_for_a_person() -> None:
    world = World(orders(), payments())
    world.own_all()
    world.script.hold("ship")
    world.ask(saga("remote", retention=0), "a")
    world.settle()
    world.now += 1000
    world.tell(f.Completed("x"), "stranger", app="payments")
    world.settle()
    world.owners["payments", 0].poll()
    world.settle()
    child = world.read("payments.normal")[0].subject
    assert world.kinds(child, app="payments")[-1] == "Forgotten"
    world.owners["orders", 0].finish("ship", TERMINAL)
    world.settle()
    assert world.status("a") == "stuck"
    assert world.letters()[-1].remaining == ("charge", "reserve")


def test_a_late_request_finds_its_refusal_also_after_a_restore() -> None:
    world = World(payments())
    owner = world.own("payments")
    world.settle()
    world.ask(Compensate(1, parent=PARENT), "child", lane="compensations", app="payments")
    world.settle()
    owner.checkpoint()
    owner.crash()
    world.own("payments")
    world.ask(run("charge", parent=PARENT), "child", app="payments")
    world.settle()
    assert world.called() == []
