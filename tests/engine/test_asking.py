"""Questions and wishes: repeats, inquiries, cancels and releases, told from folded state."""

from typing import Any

import pytest

from sagalog.engine.results import Returned
from sagalog.schemas import facts as f
from sagalog.schemas.requests import Cancel, Inquire
from tests.engine.orders import orders
from tests.engine.owner import Owner
from tests.engine.script import ERROR
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


def said(world: World, request: str) -> list[tuple[str, str]]:
    return [(reply.kind, reply.status) for reply in world.replies(request)]


def start(world: World, *held: str, request: Any = None) -> None:
    world.script.hold(*held)
    world.ask(request or saga(), "a")
    world.settle()


def park(world: World, *failures: Any) -> None:
    """A saga that is stuck at `audit`."""
    world.script.on("audit", *failures)
    world.ask(saga("careful", reply_to=to("start")), "a")
    world.settle()
    for _ in range(3):
        world.later(10)
    assert world.status("a") == "stuck"


class TestRepeats:
    def test_one_of_what_has_ended_is_answered_with_its_outcome(self, world: World) -> None:
        start(world)
        world.ask(saga(reply_to=to("again")), "a")
        world.settle()
        (reply,) = world.replies("again")
        assert reply.status == "completed"
        assert reply.result == {"reserve": "reserve", "charge": "charge", "ship": "ship"}
        assert world.called() == ["reserve", "charge", "ship"]

    def test_one_of_what_runs_is_answered_when_it_ends(self, world: World) -> None:
        start(world, "charge")
        world.ask(saga(reply_to=to("again")), "a")
        world.settle()
        assert said(world, "again") == []
        world.script.let_go("charge")
        world.settle()
        assert said(world, "again") == [("outcome", "completed")]

    def test_one_that_wants_to_know_whether_it_is_started_hears_so_at_once(
        self, world: World
    ) -> None:
        start(world, "charge")
        world.ask(saga(reply_to=to("again"), confirm=True), "a")
        world.settle()
        assert said(world, "again") == [("started", "")]

    @pytest.mark.parametrize("held", [(), ("charge",)])
    def test_another_payload_is_a_conflict(self, world: World, held: tuple[str, ...]) -> None:
        start(world, *held)
        world.ask(saga(fingerprint="other", reply_to=to("again")), "a")
        world.settle()
        assert said(world, "again") == [("conflict", "")]
        assert world.kinds("a").count("Started") == 1


class TestInquiries:
    def test_of_what_has_ended_or_is_parked(self, world: World) -> None:
        park(world, ERROR, ERROR, ERROR)
        world.ask(Inquire(to("i")), "a")
        world.settle()
        assert said(world, "i") == [("outcome", "stuck")]

    def test_of_what_is_not_there(self, world: World) -> None:
        world.ask(Inquire(to("i")), "a")
        world.settle()
        assert said(world, "i") == [("unknown", "")]

    def test_of_what_runs_it_waits_for_the_end(self, world: World) -> None:
        start(world, "charge")
        world.ask(Inquire(to("i")), "a")
        world.settle()
        assert said(world, "i") == []
        world.script.let_go("charge")
        world.settle()
        assert said(world, "i") == [("outcome", "completed")]

    def test_unless_it_would_not_wait(self, world: World) -> None:
        start(world, "charge")
        world.ask(Inquire(to("i"), wait=False), "a")
        world.settle()
        assert said(world, "i") == [("outcome", "running")]

    def test_asking_again_and_again_is_answered_once(self, world: World) -> None:
        start(world, "charge")
        for _ in range(50):
            world.ask(Inquire(to("i")), "a")
        world.settle()
        world.script.let_go("charge")
        world.settle()
        assert said(world, "i") == [("outcome", "completed")]

    def test_of_two_clients_each_is_answered(self, world: World) -> None:
        start(world, "charge")
        world.ask(Inquire(to("i", client="one")), "a")
        world.ask(Inquire(to("i", client="two")), "a")
        world.settle()
        world.script.let_go("charge")
        world.settle()
        assert {reply.client for reply in world.replies("i")} == {"one", "two"}


class TestCancel:
    def test_it_turns_a_running_saga_back(self, world: World) -> None:
        start(world, "charge")
        world.ask(Cancel("reason", "ann", reply_to=to("c")), "a")
        world.settle()
        assert said(world, "c") == [("accepted", "")]
        assert f.CancelRequested(world.facts("a")[0].run, "reason", "ann") in world.facts("a")

    def test_it_is_answered_when_it_has_been_folded_not_before(
        self, world: World, owner: Owner
    ) -> None:
        start(world, "charge")
        world.ask(Cancel(reply_to=to("c")), "a")
        owner.take_in()
        owner.land()
        assert said(world, "c") == []
        owner.fold()
        owner.land()
        assert said(world, "c") == [("accepted", "")]

    def test_one_that_loses_against_the_last_result_is_told_how_it_stands(
        self, world: World, owner: Owner
    ) -> None:
        start(world, "charge", request=run("charge"))
        world.ask(Cancel(reply_to=to("c")), "a")
        owner.finish("charge", Returned(1))
        owner.take_in()
        world.settle()
        assert world.status("a") == "completed"
        assert [kind for kind, _ in said(world, "c")] == ["outcome"]

    def test_a_lost_one_is_taken_in_again(self, world: World, owner: Owner) -> None:
        start(world, "charge")
        owner.checkpoint()
        world.ask(Cancel(), "a")
        owner.take_in()
        assert owner.partition.commits()["normal"] == 1
        owner.crash()
        world.own()
        world.script.let_go("charge")
        world.settle()
        assert world.status("a") == "cancelled"

    def test_of_what_has_ended_it_is_told_the_outcome(self, world: World) -> None:
        start(world)
        world.ask(Cancel(reply_to=to("c")), "a")
        world.settle()
        assert said(world, "c") == [("outcome", "completed")]

    def test_of_what_is_not_there_it_is_told_so(self, world: World) -> None:
        world.ask(Cancel(reply_to=to("c")), "a")
        world.settle()
        assert said(world, "c") == [("unknown", "")]
        assert world.kinds("a") == []

    def test_meant_for_another_life_it_changes_nothing(self, world: World) -> None:
        start(world, "charge")
        world.ask(Cancel(run="former", reply_to=to("c")), "a")
        world.settle()
        assert said(world, "c") == [("outcome", "running")]
        assert "CancelRequested" not in world.kinds("a")

    def test_two_at_once_turn_it_back_once(self, world: World) -> None:
        start(world, "charge")
        world.ask(Cancel(), "a")
        world.ask(Cancel(), "a")
        world.settle()
        world.script.let_go("charge")
        world.settle()
        assert world.called().count("refund") == 1
        assert world.status("a") == "cancelled"

    def test_of_two_at_once_each_is_answered(self, world: World) -> None:
        start(world, "charge")
        world.ask(Cancel(reply_to=to("1")), "a")
        world.ask(Cancel(reply_to=to("2")), "a")
        world.settle()
        assert len(said(world, "1")) == len(said(world, "2")) == 1
