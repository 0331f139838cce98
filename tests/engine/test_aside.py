"""What is set aside before the door of a limit: it comes in again, and stands in nobody's way."""

from typing import Any

import pytest

from sagalog.engine import App, Context, Limit, step
from sagalog.engine.aside import CROWD, MOST
from sagalog.engine.results import Returned
from sagalog.schemas.requests import Purge
from tests.engine.owner import Owner
from tests.engine.script import TERMINAL
from tests.engine.world import World, run, saga

FLOOD = 3 * CROWD


def limited() -> App:
    app = App("orders")

    async def charge(order: dict[str, int], ctx: Context) -> None: ...

    async def save(order: dict[str, int], ctx: Context) -> None: ...

    app.operation(limit=Limit(concurrency=CROWD // 2))(charge)
    app.operation(save)
    app.saga("late", step("save"), step("charge"))
    return app


@pytest.fixture
def world() -> World:
    world = World(limited())
    world.script.hold("charge")
    world.own()
    world.settle()
    return world


def owner(world: World) -> Owner:
    return world.owners["orders", 0]


def work_off(world: World) -> None:
    """Whatever runs ends, until nothing runs for a while."""
    idle = 0
    while idle < 20:
        idle = 0 if owner(world).running else idle + 1
        for call, invocation in list(owner(world).running):
            owner(world).end(call, invocation, Returned(None))
        world.settle(2000)
        world.later(1)


@pytest.mark.parametrize("fate", ["expired", "purged", "delayed"])
def test_those_let_in_that_never_wait_for_a_permit_leave_the_door_open(
    world: World, fate: str
) -> None:
    told: dict[str, Any] = {
        "expired": {"queue_limit": 60_000},
        "delayed": {"not_before": world.now + 86_400_000},
    }
    for n in range(FLOOD):
        world.ask(run(**(told.get(fate, {}) if n else {})), f"i{n}")
    world.settle()
    if fate == "purged":
        world.ask(Purge("normal", FLOOD, "flood"), "order", lane="high")
        world.settle()
    if fate == "expired":
        world.later(61)
    work_off(world)
    assert owner(world).partition.aside == 0
    world.ask(run(), "fresh")
    work_off(world)
    assert world.status("fresh") == "completed"


def test_sagas_that_end_before_their_limited_step_leave_the_door_open(world: World) -> None:
    world.script.on("save", *[TERMINAL] * FLOOD)
    for n in range(FLOOD):
        world.ask(saga("late"), f"s{n}")
    world.settle(2000)
    work_off(world)
    assert owner(world).partition.aside == 0


def test_the_lane_that_is_full_is_the_one_that_they_were_read_from(world: World) -> None:
    for n in range(MOST + CROWD + CROWD // 2):
        world.ask(run(), f"i{n}", lane="low")
    world.settle()
    assert owner(world).partition.closed_lanes() == {"low"}
    while owner(world).partition.aside > MOST // 2:
        for call, invocation in list(owner(world).running):
            owner(world).end(call, invocation, Returned(None))
        world.settle()
    assert owner(world).partition.closed_lanes() == frozenset()
