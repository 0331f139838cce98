"""Rule 14: it parks the instance at that offset; code that can read it folds on from there."""

import orjson
import pytest

from sagalog.schemas import Entry
from sagalog.schemas.upcasting import UPCASTERS
from tests.engine.orders import orders
from tests.engine.script import ERROR
from tests.engine.world import World, saga

NOVEL = "sagalog.tomorrow.v1"


@pytest.fixture
def world() -> World:
    world = World(orders())
    world.own()
    world.script.hold("charge")
    for name in ("a", "b"):
        world.ask(saga(), name)
    world.settle()
    return world


def tomorrow(world: World, type_: str = NOVEL, instance: str = "a") -> None:
    """A newer pod appends a fact that cancels, and it is read."""
    write(world, instance, type_)
    world.settle()


def write(world: World, instance: str, type_: str = NOVEL) -> None:
    """A newer pod appends a fact that cancels."""
    run = world.facts(instance)[0].run
    value = {"type": type_, "subject": instance, "data": {"run": run}}
    world.append("orders.events", 0, Entry(instance.encode(), orjson.dumps(value)))


def retake(world: World) -> None:
    world.owners["orders", 0].checkpoint()
    world.owners["orders", 0].crash()
    world.own()
    world.settle()


@pytest.mark.parametrize("type_", [NOVEL, "sagalog.step.completed.v2"])
def test_the_instance_stands_still_and_no_other(world: World, type_: str) -> None:
    tomorrow(world, type_)
    world.script.let_go("charge")
    world.settle()
    world.later(10**6)
    assert (world.status("a"), world.status("b")) == ("running", "completed")
    assert world.called().count("ship") == 1


def test_nothing_behind_it_is_folded(world: World) -> None:
    tomorrow(world)
    parked = world.state("a")
    world.script.let_go("charge")
    world.settle()
    assert world.kinds("a")[-1] == "StepCompleted"
    assert world.state("a") == parked


def test_a_retry_that_has_its_time_already_does_not_start(world: World) -> None:
    world.script.on("reserve", ERROR)
    world.ask(saga(), "c")
    world.settle()
    tomorrow(world, instance="c")
    world.later(10**6)
    assert len([call for call in world.calls if call.call.instance == "c"]) == 1


def test_nor_does_a_call_that_waits_for_a_slot(world: World) -> None:
    owner = world.owners["orders", 0]
    world.ask(saga(), "c")
    owner.take_in()
    owner.land()
    owner.fold()
    assert [call.instance for call in owner.ready] == ["c"]
    write(world, "c")
    owner.fold()
    world.settle()
    assert [call for call in world.calls if call.call.instance == "c"] == []


def test_it_is_no_dead_letter(world: World) -> None:
    tomorrow(world)
    assert world.letters() == []


def test_code_that_can_read_it_folds_on_from_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tomorrow(world)
    monkeypatch.setitem(UPCASTERS, NOVEL, ("sagalog.cancel.requested.v1", lambda data: data))
    world.script.let_go("charge")
    retake(world)
    assert (world.status("a"), world.status("b")) == ("cancelled", "completed")
    assert world.called().count("release") == 1


def test_also_what_came_behind_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tomorrow(world)
    world.script.let_go("charge")
    world.settle()
    assert world.kinds("a")[-1] == "StepCompleted"
    monkeypatch.setitem(UPCASTERS, NOVEL, ("sagalog.compensated.v1", lambda data: data))
    retake(world)
    assert world.status("a") == "completed"
    assert world.called().count("charge") == 2


def test_it_is_never_forgotten_before(world: World) -> None:
    tomorrow(world)
    world.script.let_go("charge")
    world.settle()
    world.later(10**6)
    world.owners["orders", 0].poll()
    world.settle()
    assert world.status("a") == "running"
