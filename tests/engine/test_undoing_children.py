"""What becomes of a `Compensate` for a child of another app."""

from typing import Any

import pytest

from sagalog.schemas import facts as f
from sagalog.schemas.requests import Compensate, Parent, Release
from tests.engine.orders import orders, payments
from tests.engine.owner import Owner
from tests.engine.script import TERMINAL
from tests.engine.world import World, run

PARENT = Parent("orders", 0, "parent", "parent-run", "charge")


@pytest.fixture
def world() -> World:
    world = World(orders(), payments())
    world.own_all()
    world.settle()
    return world


@pytest.fixture
def owner(world: World) -> Owner:
    return world.owners["orders", 0]


def compensate(world: World, number: int = 1, **fields: Any) -> None:
    request = Compensate(number, **{"parent": PARENT, **fields})
    world.ask(request, "child", lane="compensations", app="payments")


def child(world: World, **fields: Any) -> None:
    world.ask(run("charge", parent=PARENT, **fields), "child", app="payments")


def told(world: World) -> list[tuple[str, Any]]:
    """What the parent's log says, fact by fact."""
    return [(type(x).__name__, getattr(x, "number", None)) for x in world.facts("parent")]


class TestChild:
    def test_one_that_completed_is_undone(self, world: World) -> None:
        child(world)
        world.settle()
        compensate(world, known=True)
        world.settle()
        assert told(world) == [("StepCompleted", None), ("StepCompensated", 1)]
        assert world.called() == ["charge", "refund"]

    def test_one_that_runs_is_let_settle_and_then_undone(self, world: World) -> None:
        world.script.hold("charge")
        child(world)
        world.settle()
        compensate(world)
        world.settle()
        assert world.called() == ["charge"]
        world.script.let_go("charge")
        world.settle()
        assert world.called() == ["charge", "refund"]
        assert told(world) == [("StepCompensated", 1)]

    def test_an_unknown_one_is_refused_before_it_comes(self, world: World) -> None:
        compensate(world)
        world.settle()
        child(world)
        world.settle()
        assert world.status("child", app="payments") == "refused"
        assert told(world) == [("StepCompensated", 1)]
        assert world.called() == []

    @pytest.mark.parametrize("first", ["request", "compensate"])
    @pytest.mark.parametrize("outcome", ["completed", "failed"])
    def test_request_and_undo_read_in_one_turn_in_either_order(
        self, first: str, outcome: str
    ) -> None:
        world = World(orders(), payments())
        world.own("orders")
        for send in (child, compensate) if first == "request" else (compensate, child):
            send(world)
        if outcome == "failed":
            world.script.on("charge", TERMINAL)
        owner = world.own("payments")
        owner.land()
        owner.fold()
        lane = ("normal", "compensations") if first == "request" else ("compensations", "normal")
        owner.take_in(lane[0])
        owner.take_in(lane[1])
        world.settle()
        assert ("StepCompensated", 1) in told(world)
        assert world.called().count("refund") >= world.called().count("charge") * (
            outcome == "completed"
        )

    def test_a_repeat_is_answered_again(self, world: World) -> None:
        compensate(world)
        world.settle()
        compensate(world)
        world.settle()
        assert told(world) == [("StepCompensated", 1)] * 2

    def test_a_repeat_before_the_end_is_not_answered_twice(self, world: World) -> None:
        world.script.hold("refund")
        child(world)
        world.settle()
        compensate(world)
        compensate(world)
        world.settle()
        world.script.let_go("refund")
        world.settle()
        assert told(world)[1:] == [("StepCompensated", 1)]

    def test_a_second_undo_is_told_under_its_own_number(self, world: World) -> None:
        compensate(world)
        world.settle()
        compensate(world, 2)
        world.settle()
        assert told(world) == [("StepCompensated", 1), ("StepCompensated", 2)]

    def test_one_that_is_gone_can_not_be_undone_and_the_parent_hears_it(self, world: World) -> None:
        compensate(world, known=True)
        world.settle()
        (fact,) = world.facts("parent")
        assert isinstance(fact, f.CompensationFailed)
        assert (fact.number, fact.attempt, fact.final) == (1, 1, True)

    def test_one_whose_undo_is_stuck_is_told_when_a_person_has_moved_it(self, world: World) -> None:
        world.script.on("refund", TERMINAL)
        child(world)
        world.settle()
        compensate(world)
        world.settle()
        assert world.status("child", app="payments") == "stuck"
        assert told(world) == [("StepCompleted", None)]
        world.ask(Release("charge", number=1, attempt=1), "child", app="payments")
        world.settle()
        assert told(world)[1:] == [("StepCompensated", 1)]

    def test_a_parent_that_is_no_parent_moves_nothing(self, world: World) -> None:
        child(world)
        world.settle()
        world.ask(Compensate(1), "child", lane="compensations", app="payments")
        world.settle()
        assert world.status("child", app="payments") == "completed"
        assert world.owners["payments", 0].partition.commits()["compensations"] == 1

    def test_one_that_is_forgotten_at_this_moment_is_not_lost(self, world: World) -> None:
        world = World(orders(), payments(retention=0))
        world.own_all()
        world.settle()
        owner = world.owners["payments", 0]
        child(world)
        world.settle()
        world.now += 1000
        world.tell(f.Completed("x"), "stranger", app="payments")
        owner.fold()
        owner.poll()
        owner.tick()
        compensate(world, known=True)
        owner.take_in()
        world.settle()
        assert world.status("child", app="payments") == ""
        assert told(world) == [("StepCompleted", None), ("CompensationFailed", 1)]

    def test_an_undo_that_a_zombie_s_start_overtook_is_not_lost(self) -> None:
        world = World(orders(), payments())
        zombie = world.own("payments")
        world.settle()
        child(world)
        zombie.take_in()
        owner = world.own("payments")
        owner.land()
        owner.fold()
        compensate(world)
        owner.take_in("compensations")
        zombie.land()
        owner.land()
        world.script.on("charge", TERMINAL)
        world.settle()
        assert ("StepCompensated", 1) in told(world)


@pytest.mark.parametrize("number", [0, 1])
def test_whose_undo_nobody_has_the_right_to_ask_for_is_left_as_it_is(
    world: World, number: int
) -> None:
    world.ask(run("charge"), "child", app="payments")
    world.settle()
    before = world.kinds("child", app="payments")
    compensate(world, number)
    world.settle()
    assert world.kinds("child", app="payments") == before
    assert [letter.reason for letter in world.letters(app="payments")] == [
        "child has no parent that could undo it"
    ]
    assert told(world) == [("CompensationFailed", number)]
    assert world.owners["payments", 0].partition.commits()["compensations"] == 1
