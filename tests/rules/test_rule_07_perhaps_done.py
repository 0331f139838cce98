"""Rule 7: a step of which nobody knows whether it happened is undone, and late ones once more."""

from typing import Any

import pytest

from sagalog.engine.results import Returned
from sagalog.schemas import facts as f
from sagalog.schemas.requests import Cancel
from tests.engine.orders import orders
from tests.engine.script import ERROR, TERMINAL, TIMEOUT
from tests.engine.world import World, run, saga


@pytest.fixture
def world() -> World:
    world = World(orders())
    world.own()
    world.settle()
    return world


def wait(world: World) -> None:
    for _ in range(4):
        world.later(10)


@pytest.mark.parametrize("turn", ["cancel", "deadline"])
def test_a_step_under_way_when_the_saga_turns_back_is_undone(world: World, turn: str) -> None:
    world.script.hold("charge")
    world.ask(saga("brief"), "a")
    world.settle()
    owner = world.owners["orders", 0]
    if turn == "cancel":
        world.ask(Cancel(), "a")
        world.settle()
    else:
        world.later(9)
    owner.finish("charge", ERROR)
    world.settle()
    assert world.called() == ["reserve", "charge", "refund", "release"]


def test_so_is_one_that_timed_out_for_good(world: World) -> None:
    world.script.on("charge", TIMEOUT, TIMEOUT, TIMEOUT)
    world.ask(saga(), "a")
    world.settle()
    wait(world)
    assert world.called()[-2:] == ["refund", "release"]


def test_and_one_that_timed_out_once_and_failed_later(world: World) -> None:
    world.script.on("charge", TIMEOUT, TERMINAL)
    world.ask(saga(), "a")
    world.settle()
    wait(world)
    assert world.called() == ["reserve", "charge", "charge", "refund", "release"]


def test_one_that_failed_under_its_only_owner_is_not(world: World) -> None:
    world.script.on("charge", TERMINAL)
    world.ask(saga(), "a")
    world.settle()
    assert world.called() == ["reserve", "charge", "release"]


def test_one_that_was_ready_before_the_last_taken_is(world: World) -> None:
    """The former owner's call may have happened, though its result never came."""
    world.script.hold("charge")
    world.ask(saga(), "a")
    world.settle()
    world.owners["orders", 0].crash()
    world.script.let_go("charge")
    world.script.on("charge", TERMINAL)
    world.own()
    world.settle()
    assert world.called() == ["reserve", "charge", "charge", "refund", "release"]


def test_so_it_is_when_the_taken_stands_before_a_checkpoint(world: World) -> None:
    world.script.hold("charge")
    world.ask(saga(), "a")
    world.settle()
    owner = world.own()
    world.settle()
    owner.checkpoint()
    world.script.on("charge", TERMINAL)
    world.script.let_go("charge")
    world.settle()
    assert world.called()[-2:] == ["refund", "release"]


@pytest.mark.parametrize("doubt", ["timeout", "taken"])
@pytest.mark.parametrize("request_", [saga("careful"), run("audit")], ids=["saga", "operation"])
def test_doubt_survives_being_parked(world: World, doubt: str, request_: Any) -> None:
    if doubt == "taken":
        world.script.hold("audit")
    world.script.on("audit", *[TIMEOUT if doubt == "timeout" else ERROR] * 3)
    world.ask(request_, "a")
    world.settle()
    if doubt == "taken":
        world.own()
        world.script.let_go("audit")
        world.settle()
    wait(world)
    assert world.status("a") in ("stuck", "dead")
    world.ask(Cancel(), "a")
    world.settle()
    assert world.status("a") == "cancelled"
    assert "recall" in world.called()


def late(world: World, owner: Any) -> None:
    """A zombie's completion of `charge` lands."""
    owner.finish("charge", Returned("late"))
    owner.land()


def cancelled_over_a_zombie(world: World) -> Any:
    """The zombie still runs `charge`; its successor has been asked to cancel."""
    zombie = world.owners["orders", 0]
    world.script.hold("charge")
    world.ask(saga(), "a")
    world.settle()
    world.own()
    world.settle()
    world.ask(Cancel(), "a")
    world.owners["orders", 0].finish("charge", ERROR)
    return zombie


def undos(world: World) -> list[tuple[str, int]]:
    keys = [c.context.idempotency_key for c in world.calls if c.context.phase == "undo"]
    return [(key.split(":")[2], int(key.split(":")[4])) for key in keys]


def test_a_completion_read_while_its_undo_runs_makes_one_more(world: World) -> None:
    zombie = cancelled_over_a_zombie(world)
    world.script.hold("refund")
    world.settle()
    late(world, zombie)
    world.settle()
    world.script.let_go("refund")
    world.settle()
    assert undos(world) == [("charge", 1), ("charge", 2), ("reserve", 1)]
    assert world.status("a") == "cancelled"


def test_one_read_when_its_undo_has_run_makes_one_more_too_and_it_comes_next(
    world: World,
) -> None:
    zombie = cancelled_over_a_zombie(world)
    world.script.hold("release")
    world.settle()
    late(world, zombie)
    world.settle()
    world.script.let_go("release")
    world.settle()
    assert undos(world)[:2] == [("charge", 1), ("reserve", 1)]
    assert ("charge", 2) in undos(world)
    assert world.status("a") == "cancelled"


def test_behind_the_end_the_end_stays_and_the_orphan_is_undone(world: World) -> None:
    zombie = cancelled_over_a_zombie(world)
    world.settle()
    assert world.status("a") == "cancelled"
    world.script.hold("refund")
    late(world, zombie)
    world.settle()
    assert world.status("a") == "cancelled"
    world.script.let_go("refund")
    world.settle()
    assert undos(world) == [("charge", 1), ("reserve", 1), ("charge", 2)]
    assert world.kinds("a").count("Cancelled") == 1


def test_and_the_instance_is_not_forgotten_before() -> None:
    world = World(orders(retention=0))
    world.own()
    world.settle()
    zombie = cancelled_over_a_zombie(world)
    world.settle()
    world.script.hold("refund")
    late(world, zombie)
    world.settle()
    owner = world.owners["orders", 0]
    world.now += 1000
    world.tell(f.Completed("x"), "stranger")
    world.settle()
    owner.poll()
    world.settle()
    run_ = world.facts("a")[0].run
    world.tell(f.Forgotten(run_, {}), "a", source="a zombie that had not read the completion")
    world.settle()
    assert world.status("a") == "cancelled"
    world.script.let_go("refund")
    world.settle()
    assert world.status("a") == ""
