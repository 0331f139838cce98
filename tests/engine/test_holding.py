"""An operation that is held in a partition: nothing of it begins, and all the rest goes on."""

import pytest

from sagalog.engine.agenda import Agenda
from sagalog.engine.holding import Holding
from sagalog.engine.pauses import PAUSES_KEY
from sagalog.engine.pending import Run
from sagalog.schemas.pauses import Paused, Resumed
from sagalog.schemas.requests import Cancel, Compensate
from tests.engine.orders import orders
from tests.engine.owner import Owner
from tests.engine.script import TERMINAL
from tests.engine.world import World, run, saga

PAUSE, RESUME = Paused("p1", "charge", reason="down", by="ann"), Resumed("r1", "charge")


@pytest.fixture
def world() -> World:
    world = World(orders())
    world.own()
    world.settle()
    return world


def owner(world: World) -> Owner:
    return world.owners["orders", 0]


def test_a_paused_operation_waits_and_goes_on_when_it_is_resumed(world: World) -> None:
    world.hold(PAUSE)
    world.ask(saga(), "i")
    world.settle()
    assert world.called() == ["reserve"]
    assert world.status("i") == "running"
    world.hold(RESUME)
    world.settle()
    assert world.called() == ["reserve", "charge", "ship"]
    assert world.status("i") == "completed"


def test_what_waits_takes_no_slot_and_lets_others_pass(world: World) -> None:
    world.hold(PAUSE)
    world.settle()
    for n in range(20):
        world.ask(run("charge"), f"held{n}")
    world.ask(run("note"), "passes")
    world.settle()
    assert world.called() == ["note"]
    assert (owner(world).ready, owner(world).running) == ([], [])
    assert owner(world).partition.agenda.anteroom.lanes["normal"] == 20


def test_a_call_that_had_its_turn_already_does_not_begin_behind_the_pause(world: World) -> None:
    world.ask(run("charge"), "i")
    turn = owner(world)
    turn.take_in()
    turn.land()
    turn.fold()
    assert [call.instance for call in turn.ready] == ["i"]
    world.hold(PAUSE)
    turn.fold()
    turn.begin()
    assert world.called() == []
    world.hold(RESUME)
    world.settle()
    assert world.called() == ["charge"]


def test_what_runs_may_end(world: World) -> None:
    world.script.hold("charge")
    world.ask(run("charge"), "i")
    world.settle()
    world.hold(PAUSE)
    world.settle()
    world.script.let_go("charge")
    world.settle()
    assert world.status("i") == "completed"


def test_an_undo_is_held_before_it_is_sent(world: World) -> None:
    world.hold(Paused("p", "release"))
    world.script.on("charge", TERMINAL)
    world.ask(saga(), "i")
    world.settle()
    assert world.status("i") == "compensating"
    assert world.logs["orders.compensations", 0] == []
    world.hold(Resumed("r", "release"))
    world.settle()
    assert world.status("i") == "compensated"


def test_an_undo_that_was_on_its_way_waits_and_its_lane_does_not(world: World) -> None:
    world.script.on("charge", TERMINAL)
    world.ask(saga(), "i")
    turn = owner(world)
    while not world.logs["orders.compensations", 0]:
        turn.land()
        turn.fold()
        turn.take_in("normal")
        turn.begin()
        turn.finish()
    world.hold(Paused("p", "release"))
    world.settle()
    assert world.called() == ["reserve", "charge"]
    assert turn.partition.commits()["compensations"] == 1
    world.hold(Resumed("r", "release"))
    world.settle()
    assert world.status("i") == "compensated"
    assert len(world.logs["orders.compensations", 0]) == 2


def test_who_is_cancelled_waits_no_longer(world: World) -> None:
    world.hold(PAUSE)
    world.ask(saga(), "i")
    world.settle()
    world.ask(Cancel(), "i")
    world.settle()
    assert world.status("i") == "cancelled"
    assert owner(world).partition.agenda.anteroom.operations == []


def test_a_deadline_goes_on(world: World) -> None:
    world.hold(PAUSE)
    world.ask(saga("brief"), "i")
    world.settle()
    world.later(10)
    assert world.status("i") == "compensated"
    assert world.called() == ["reserve", "refund", "release"]


def test_a_pause_survives_a_crash(world: World) -> None:
    world.hold(PAUSE)
    world.ask(saga(), "i")
    world.settle()
    owner(world).crash()
    world.own()
    world.settle()
    assert world.called() == ["reserve"]
    world.hold(RESUME)
    world.settle()
    assert world.status("i") == "completed"


def test_a_pause_is_in_the_checkpoint_where_its_fact_is_not_read_again(world: World) -> None:
    world.hold(PAUSE)
    world.settle()
    assert owner(world).checkpoint()
    assert PAUSES_KEY in world.tables["orders", 0]
    owner(world).crash()
    world.ask(run("charge"), "i")
    successor = world.own()
    assert successor.events > 0
    world.settle()
    assert successor.partition.pauses.of("charge").holds
    assert world.called() == []


def test_a_pause_reaches_a_partition_that_nobody_owns(world: World) -> None:
    owner(world).crash()
    world.hold(PAUSE)
    world.ask(run("charge"), "i")
    world.own()
    world.settle()
    assert world.called() == []
    assert world.status("i") == "running"


def test_an_undo_of_a_parent_turns_a_held_child_back(world: World) -> None:
    """It is perhaps done as far as anybody knows: its undo runs, and bears that."""
    world.hold(PAUSE)
    world.ask(saga("spread"), "i")
    world.settle()
    assert world.called() == ["reserve"]
    world.ask(Cancel(), "i")
    world.settle()
    assert world.status("i") == "cancelled"
    assert "charge" not in world.called()


def test_a_paused_lane_is_closed_and_says_where_to_go_on(world: World) -> None:
    world.ask(run("note"), "a", lane="low")
    world.settle()
    world.hold(Paused("p", lane="low"))
    world.settle()
    processor = owner(world).partition
    assert processor.closed_lanes() == {"low"}
    assert processor.unread("low") == 1
    world.hold(Resumed("r", lane="low"))
    world.settle()
    assert processor.closed_lanes() == frozenset()


def test_a_lane_with_too_many_held_is_closed_until_half_of_them_are_gone() -> None:
    agenda = Agenda()
    holding = Holding(agenda, room=4)
    actions = [(f"i{n}", Run(0, 1, 0)) for n in range(4)]
    for instance, action in actions:
        assert holding.closed() == frozenset()
        agenda.hold(instance, action, "charge", "low")
    assert holding.closed() == {"low"}
    agenda.let_in(*actions[0])
    agenda.clear(*actions[1])
    assert holding.closed() == {"low"}
    agenda.forget(actions[2][0])
    assert holding.closed() == frozenset()


def test_undos_that_are_held_close_no_lane() -> None:
    agenda = Agenda()
    holding = Holding(agenda, room=1)
    agenda.hold("i", Run(0, 1, 0), "refund", "compensations")
    assert holding.closed() == frozenset()


def test_a_pause_under_another_key_is_no_fact_of_the_partition(world: World) -> None:
    world.tell(PAUSE, "i")
    world.ask(run("charge"), "j")
    world.settle()
    assert world.called() == ["charge"]


def test_a_request_of_that_name_is_no_instance(world: World) -> None:
    world.ask(Compensate(1), "~pauses")
    world.settle()
    assert len(world.letters()) == 1
