"""Purging a lane: what waits in it ends as cancelled when its turn comes, whoever owns it then."""

import pytest

from sagalog.engine.pending import pending
from sagalog.schemas import facts as f
from sagalog.schemas.claims import Claim
from sagalog.schemas.requests import Parent, Purge
from tests.engine.lives import ALONE, Life
from tests.engine.orders import orders
from tests.engine.owner import Owner
from tests.engine.world import World, run, to

SENTENCE = "its lane was purged by ann: too many"


@pytest.fixture
def world() -> World:
    world = World(orders())
    world.own()
    world.settle()
    return world


@pytest.fixture
def owner(world: World) -> Owner:
    return world.owners["orders", 0]


def waiting(world: World, *names: str) -> int:
    """Requests for these wait in the lane low; the offset behind them."""
    asked = [world.ask(run(reply_to=to(name)), name, lane="low") for name in names]
    return asked[-1].offset + 1


def order(below: int, lane: str = "low") -> Purge:
    return Purge(lane, below, "too many", "ann")


def test_what_is_purged_has_ended_with_its_first_fact() -> None:
    state = Life(ALONE, purged=SENTENCE).state
    assert (state.status, state.steps, pending(state)) == ("cancelled", (), [])
    assert state.error == f.Failure("cancelled", "Purged", SENTENCE)


def test_what_waits_below_ends_as_cancelled_and_its_client_learns_it(world: World) -> None:
    below = waiting(world, "a", "b")
    waiting(world, "c")
    world.ask(order(below), "order", lane="high")
    world.settle()
    assert [world.status(name) for name in "abc"] == ["cancelled", "cancelled", "completed"]
    for name in "ab":
        (reply,) = world.replies(name)
        assert reply.status == "cancelled"
        assert reply.error is not None
        assert (reply.error.type, reply.error.message) == ("Purged", SENTENCE)
    assert world.called() == ["charge"]


def test_the_order_is_done_when_all_below_is_and_not_before(world: World, owner: Owner) -> None:
    below = waiting(world, "a", "b")
    world.ask(order(below), "order", lane="high")
    owner.take_in("high")
    owner.take_in("low")
    assert owner.partition.commits()["high"] == 0
    world.settle()
    assert owner.partition.commits() == {"high": 1, "normal": 0, "low": 2, "compensations": 0}
    waiting(world, "c")
    world.settle()
    assert world.status("c") == "completed"


@pytest.mark.parametrize("landed", [0, 1, 2])
def test_the_next_owner_carries_on(world: World, owner: Owner, landed: int) -> None:
    below = waiting(world, "a", "b", "c")
    world.ask(order(below), "order", lane="high")
    owner.take_in("high")
    owner.take_in("low", most=2)
    owner.crash(landed=landed)
    world.own()
    world.settle()
    assert [world.status(name) for name in "abc"] == ["cancelled"] * 3
    assert world.called() == []


def test_what_has_begun_is_left_alone(world: World) -> None:
    world.script.hold("charge")
    below = waiting(world, "a")
    world.settle()
    world.ask(order(below), "order", lane="high")
    world.settle()
    assert world.status("a") == "running"


def test_a_step_that_its_saga_waits_for_is_left_alone(world: World) -> None:
    request = run(parent=Parent("orders", 0, "saga", "run", "charge"))
    below = world.ask(request, "child", lane="low").offset + 1
    world.ask(order(below), "order", lane="high")
    world.settle()
    assert world.status("child") == "completed"


def test_a_claim_is_left_alone_since_its_caller_runs_it(world: World) -> None:
    claim = Claim(name="charge", input={"n": 1}, fingerprint="f", by="ann", lease=30_000)
    below = world.ask(claim, "claimed", lane="low").offset + 1
    world.ask(order(below), "order", lane="high")
    world.settle()
    assert world.status("claimed") == "running"
    assert world.facts("claimed")[0].purged == ""


def test_of_its_own_lane_it_purges_what_stands_before_it(world: World, owner: Owner) -> None:
    world.ask(run(), "a", lane="low")
    world.ask(order(10**9), "order", lane="low")
    waiting(world, "b")
    owner.take_in("low")
    world.settle()
    # What stands before it in one lane has begun when it is read.
    assert [world.status(name) for name in "ab"] == ["completed", "completed"]
    assert owner.partition.commits()["low"] == 3


def test_a_lane_that_there_is_not_is_no_order(world: World) -> None:
    world.ask(order(5, lane="urgent"), "order", lane="high")
    world.settle()
    assert len(world.logs["orders.deadletters", 0]) == 1
