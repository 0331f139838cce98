"""Rule 15: a handler called again gets the same key, and whoever declares one is told so."""

from collections.abc import Callable
from typing import Any

import pytest

from sagalog.engine import App, Context, step
from sagalog.engine.results import Returned
from sagalog.schemas import facts as f
from sagalog.schemas.requests import Release
from tests.engine.orders import orders
from tests.engine.script import AWAY, ERROR, TERMINAL, TIMEOUT
from tests.engine.world import World, run, saga


def keys(world: World, operation: str) -> list[str]:
    return [c.context.idempotency_key for c in world.calls if c.operation == operation]


@pytest.mark.parametrize("again", [ERROR, TIMEOUT, AWAY])
def test_another_attempt_has_the_same_key(again: f.Failure) -> None:
    world = World(orders())
    world.own()
    world.script.on("charge", again)
    world.ask(run("charge"), "a")
    world.settle()
    world.later(1)
    first, second = keys(world, "charge")
    assert first == second


def test_so_has_the_call_of_another_owner() -> None:
    world = World(orders())
    world.own()
    world.script.hold("charge")
    world.ask(run("charge"), "a")
    for _ in range(3):
        world.settle()
        world.own()
    world.settle()
    assert len(keys(world, "charge")) == 4
    assert len(set(keys(world, "charge"))) == 1


def test_and_the_call_that_a_person_asked_for() -> None:
    world = World(orders())
    world.own()
    world.script.on("charge", TERMINAL)
    world.ask(run("charge"), "a")
    world.settle()
    world.ask(Release("charge"), "a")
    world.settle()
    assert world.status("a") == "completed"
    assert len(set(keys(world, "charge"))) == 1


def test_every_call_of_one_undo_has_the_same_key_which_is_not_its_step_s() -> None:
    world = World(orders())
    world.own()
    world.script.on("ship", TERMINAL)
    world.script.on("refund", ERROR, TERMINAL)
    world.ask(saga(), "a")
    world.settle()
    world.later(1)
    world.ask(Release("charge", number=1, attempt=2), "a")
    world.settle()
    assert len(keys(world, "refund")) == 3
    assert len(set(keys(world, "refund"))) == 1
    assert not set(keys(world, "refund")) & set(keys(world, "charge"))


def test_two_undos_of_one_step_have_two_keys() -> None:
    world = World(orders())
    zombie = world.own()
    world.script.hold("charge")
    world.ask(run("charge"), "a")
    world.settle()
    owner = world.own()
    world.settle()
    world.tell(f.CancelRequested(world.facts("a")[0].run), "a")
    owner.finish("charge", ERROR)
    world.settle()
    zombie.finish("charge", Returned("late"))
    zombie.land()
    world.settle()
    assert len(set(keys(world, "refund"))) == len(keys(world, "refund")) == 2


def test_steps_have_keys_of_their_own() -> None:
    world = World(orders())
    world.own()
    for name in "ab":
        world.ask(saga(), name)
    world.settle()
    assert len({call.context.idempotency_key for call in world.calls}) == 6


@pytest.mark.parametrize("told", [App.operation, step, Context])
def test_whoever_declares_a_handler_is_told(told: Callable[..., Any]) -> None:
    said = " ".join((told.__doc__ or "").split())
    assert "called again with" in said or "called with a key whose effect exists" in said
    assert "same idempotency key" in said or "same for every call" in said
    assert "returns success" in said
