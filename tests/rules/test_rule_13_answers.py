"""Rule 13: answers come from folded state, never from an append's acknowledgement."""

import pytest

from sagalog.engine.results import Returned
from sagalog.schemas import facts as f
from sagalog.schemas.requests import Cancel, Inquire
from tests.engine.orders import orders
from tests.engine.owner import Owner
from tests.engine.world import World, run, saga, to


@pytest.fixture
def world() -> World:
    world = World(orders())
    world.own()
    world.settle()
    return world


@pytest.fixture
def owner(world: World) -> Owner:
    return world.owners["orders", 0]


def kinds(world: World, request: str = "1") -> list[tuple[str, str]]:
    return [(reply.kind, reply.status) for reply in world.replies(request)]


def test_an_outcome_is_told_when_its_end_has_been_read_back(world: World, owner: Owner) -> None:
    world.script.hold("charge")
    world.ask(run("charge", reply_to=to("1")), "a")
    world.settle()
    owner.finish("charge", Returned(1))
    owner.land()
    assert kinds(world) == []
    owner.fold()
    owner.land()
    assert kinds(world) == [("outcome", "completed")]


def test_what_is_told_is_what_the_log_says_not_what_this_owner_wrote(
    world: World, owner: Owner
) -> None:
    world.script.hold("charge")
    world.ask(run("charge", reply_to=to("1")), "a")
    world.settle()
    run_ = world.facts("a")[0].run
    world.tell(f.StepCompleted(run_, "charge", 1, "the zombie's"), "a")
    owner.finish("charge", Returned("mine"))
    world.settle()
    assert [reply.result for reply in world.replies("1")] == ["the zombie's"]


def test_a_conflict_is_judged_by_the_life_that_is_in_the_log(world: World, owner: Owner) -> None:
    """Two payloads race in two lanes: of two first facts on their way the log takes one."""
    zombie = owner
    world.ask(saga(fingerprint="one", reply_to=to("one")), "a", lane="high")
    zombie.take_in()
    owner = world.own()
    owner.land()
    owner.fold()
    world.ask(saga(fingerprint="two", reply_to=to("two")), "a", lane="normal")
    owner.take_in("normal")
    zombie.land()
    owner.land()
    assert kinds(world, "one") == kinds(world, "two") == []
    world.settle()
    assert ("outcome", "completed") in kinds(world, "one")
    assert kinds(world, "two") == [("conflict", "")]


def test_nor_by_the_first_fact_that_is_on_its_way(world: World, owner: Owner) -> None:
    """The owner has taken both in; the log takes a former owner's, which answers the second."""
    zombie = owner
    world.ask(saga(fingerprint="two", reply_to=to("two")), "a", lane="normal")
    zombie.take_in()
    owner = world.own()
    owner.land()
    owner.fold()
    world.ask(saga(fingerprint="one", reply_to=to("one")), "a", lane="high")
    owner.take_in("high")
    owner.take_in("normal")
    zombie.land()
    owner.land()
    assert kinds(world, "one") == kinds(world, "two") == []
    world.settle()
    assert kinds(world, "one") == [("conflict", "")]
    assert ("outcome", "completed") in kinds(world, "two")


def test_whoever_asked_while_it_ran_is_told_its_end(world: World) -> None:
    world.script.hold("charge")
    world.ask(run("charge", reply_to=to("1")), "a")
    world.settle()
    world.ask(Inquire(to("2", client="another")), "a")
    world.ask(run("charge", reply_to=to("3", client="a third")), "a", lane="low")
    world.settle()
    world.script.let_go("charge")
    world.settle()
    for request in "123":
        assert kinds(world, request) == [("outcome", "completed")]


def test_accepted_is_told_when_the_fold_has_taken_it(world: World, owner: Owner) -> None:
    world.script.hold("charge")
    world.ask(run("charge"), "a")
    world.settle()
    world.ask(Cancel(reply_to=to("1")), "a")
    owner.take_in()
    owner.land()
    assert kinds(world) == []
    world.settle()
    assert kinds(world) == [("accepted", "")]


def test_a_client_that_asks_again_with_the_same_id_is_answered(world: World) -> None:
    world.ask(saga(reply_to=to("1")), "a")
    world.settle()
    world.logs["orders.replies", 0].clear()
    world.ask(Inquire(to("1")), "a")
    world.settle()
    assert kinds(world) == [("outcome", "completed")]


def test_nobody_who_waits_is_forgotten_by_a_take_only_because_it_asked_before(
    world: World,
) -> None:
    """The wait is a hint in memory; the request that started the saga is told all the same."""
    world.script.hold("charge")
    world.ask(run("charge", reply_to=to("1")), "a")
    world.ask(Inquire(to("2")), "a")
    world.settle()
    world.owners["orders", 0].commit()
    world.owners["orders", 0].crash()
    world.script.let_go("charge")
    world.own()
    world.settle()
    assert kinds(world, "1") == [("outcome", "completed")]
    assert kinds(world, "2") == []


@pytest.mark.parametrize(("checkpointed", "told"), [(True, 1), (False, 2)])
def test_after_a_take_only_ends_in_the_folded_tail_are_told_again(
    world: World, owner: Owner, told: int, *, checkpointed: bool
) -> None:
    world.ask(saga(reply_to=to("1")), "a")
    world.settle()
    if checkpointed:
        owner.checkpoint()
    owner.commit()
    owner.crash()
    world.own()
    world.settle()
    assert len(kinds(world)) == told


def test_what_is_parked_is_told_too_and_then_its_end(world: World) -> None:
    world.ask(run("charge", reply_to=to("1")), "a")
    world.script.on("charge", f.Failure("terminal", "Terminal", "no", "a long traceback"))
    world.settle()
    (reply,) = world.replies("1")
    assert reply.status == "dead"
    assert (reply.error.message, reply.error.traceback) == ("no", "")
