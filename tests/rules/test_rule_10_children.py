"""Rule 10: a child's outcome is delivered until its log says so, and it lives until then."""

import pytest

from sagalog.engine import step
from sagalog.engine.results import Returned
from sagalog.schemas import facts as f
from sagalog.schemas.ids import child_id
from sagalog.schemas.requests import Cancel, Release
from tests.engine.orders import orders, payments
from tests.engine.script import ERROR, TERMINAL
from tests.engine.world import World, saga


@pytest.fixture
def world() -> World:
    world = World(orders(), payments())
    world.own_all()
    world.settle()
    return world


def child(world: World) -> str:
    return child_id(world.facts("a")[0].run, "charge")


def test_its_id_comes_from_its_parent_s_run_and_step(world: World) -> None:
    world.ask(saga("remote"), "a")
    world.settle()
    assert {m.subject for m in world.read("payments.normal")} == {child(world)}


def test_an_outcome_that_was_lost_on_its_way_is_delivered_again(world: World) -> None:
    far = world.owners["payments", 0]
    world.script.hold("charge")
    world.ask(saga("remote"), "a")
    world.settle()
    far.finish("charge", Returned(1))
    far.land()
    far.fold()
    far.crash()
    assert world.status("a") == "running"
    world.own("payments")
    world.settle()
    assert world.status("a") == "completed"
    assert world.called().count("charge") == 1


def test_one_that_arrived_twice_counts_once(world: World) -> None:
    far = world.owners["payments", 0]
    world.script.hold("charge")
    world.ask(saga("remote"), "a")
    world.settle()
    far.finish("charge", Returned(1))
    far.land()
    far.fold()
    far.crash(landed=1)
    world.own("payments")
    world.settle()
    assert world.kinds("a").count("StepCompleted") == 4
    assert world.status("a") == "completed"
    assert world.called().count("ship") == 1


def test_it_is_told_only_after_its_delivery_is_in_its_own_log(world: World) -> None:
    world.ask(saga("remote"), "a")
    world.settle()
    kinds = world.kinds(child(world), app="payments")
    assert kinds == ["Started", "StepCompleted", "Completed", "OutcomeDelivered"]


def test_it_is_not_forgotten_before() -> None:
    world = World(orders(), payments(retention=0))
    world.own_all()
    world.script.hold("charge")
    world.ask(saga("remote", retention=0), "a")
    world.settle()
    far = world.owners["payments", 0]
    far.finish("charge", Returned(1))
    far.land()
    far.fold()
    far.outbox.clear()
    world.now += 1000
    world.tell(f.Completed("x"), "stranger", app="payments")
    far.fold()
    far.poll()
    far.tick()
    assert not far.outbox
    run_ = world.facts(child(world), app="payments")[0].run
    world.tell(f.Forgotten(run_, {}), child(world), app="payments", source="a zombie")
    far.fold()
    assert world.status(child(world), app="payments") == "completed"
    world.own("payments")
    world.settle()
    assert world.status("a") == "completed"


def test_the_parent_never_tries_again_what_runs_there(world: World) -> None:
    world.script.on("charge", ERROR, ERROR, ERROR)
    world.ask(saga("remote"), "a")
    world.settle()
    for _ in range(3):
        world.later(5)
    assert world.called() == ["reserve", *["charge"] * 3, "release"]
    assert len(world.read("payments.normal")) == 1


def test_not_even_when_a_person_asks_for_it() -> None:
    app = orders()
    app.saga("far", step(app.operations["audit"], spread=True))
    world = World(app)
    world.own()
    world.script.on("audit", ERROR, ERROR, ERROR)
    world.ask(saga("far"), "a")
    world.settle()
    for _ in range(3):
        world.later(10)
    assert world.status("a") == "stuck"
    world.ask(Release("audit"), "a")
    world.settle()
    assert world.status("a") == "stuck"
    world.ask(Release("audit", "resolve", "by hand"), "a")
    world.settle()
    assert world.status("a") == "completed"


def test_a_request_is_sent_again_by_every_owner_and_makes_one_child(world: World) -> None:
    world.script.hold("charge")
    world.ask(saga("remote"), "a")
    world.settle()
    for _ in range(3):
        world.own("orders")
        world.settle()
    world.script.let_go("charge")
    world.settle()
    assert len(world.read("payments.normal")) == 4
    assert world.called().count("charge") == 1
    assert world.status("a") == "completed"


def test_one_sent_again_after_the_retention_is_refused(world: World) -> None:
    """The child may have lived, ended, been undone and forgotten before it comes."""
    world.ask(saga("remote"), "a")
    world.settle()
    request = world.logs["payments.normal", 0][0]
    world.owners["payments", 0].crash()
    world.tables.clear()
    world.logs["payments.events", 0].clear()
    world.logs["payments.normal", 0].clear()
    world.now += 86_400_001
    world.append("payments.normal", 0, request[4:7])  # type: ignore[arg-type]
    world.own("payments")
    world.settle()
    assert world.called().count("charge") == 1
    assert world.kinds(child(world), app="payments") == []


@pytest.mark.parametrize("when", ["queued", "running", "completed", "failed"])
def test_a_parent_that_turns_back_leaves_no_effect_of_its_child(world: World, when: str) -> None:
    far = world.owners["payments", 0]
    world.script.hold("ship")
    if when == "queued":
        far.crash()
    elif when == "running":
        world.script.hold("charge")
    elif when == "failed":
        world.script.on("charge", TERMINAL)
    world.ask(saga("remote"), "a")
    world.settle()
    world.ask(Cancel(), "a")
    world.settle()
    if when == "queued":
        world.own("payments")
    world.script.let_go("charge", "ship")
    world.settle()
    assert world.status("a") == ("compensated" if when == "failed" else "cancelled")
    charged, refunded = world.called().count("charge"), world.called().count("refund")
    assert refunded >= charged if when != "failed" else refunded == 0
