"""Rule 2: dirty states, tombstones and the position up to which they are folded, together."""

import pytest

from sagalog.engine.position import POSITION_KEY, Position
from sagalog.schemas import Entry
from tests.engine.orders import orders
from tests.engine.script import TERMINAL
from tests.engine.world import World, saga


def test_the_position_is_the_fold_offset_of_that_snapshot() -> None:
    world = World(orders())
    owner = world.own()
    world.ask(saga(), "a")
    world.settle()
    world.ask(saga(), "b")
    owner.take_in()
    owner.land()
    (*_, last) = owner.partition.checkpoint()
    assert last.key == POSITION_KEY
    assert last.value is not None
    position = Position.of({POSITION_KEY: last.value})
    assert position.mark.offset == len(world.logs["orders.events", 0]) - 1


def test_it_holds_all_that_changed_since_the_last_and_nothing_else() -> None:
    world = World(orders())
    owner = world.own()
    world.ask(saga(), "a")
    world.settle()
    owner.checkpoint()
    world.ask(saga(), "b")
    world.settle()
    assert [entry.key for entry in owner.partition.checkpoint()] == [b"b", POSITION_KEY]
    assert [entry.key for entry in owner.partition.checkpoint()] == [POSITION_KEY]


@pytest.mark.parametrize("turns", range(12))
def test_wherever_it_is_made_the_rest_of_the_log_makes_it_whole(turns: int) -> None:
    world = World(orders())
    owner = world.own()
    world.script.on("ship", TERMINAL)
    for name in "ab":
        world.ask(saga(), name)
    for _ in range(turns):
        owner.turn()
    owner.checkpoint()
    world.settle()
    live = {name: world.state(name) for name in "ab"}
    successor = world.own()
    successor.fold()
    assert {name: successor.partition.table.get(name) for name in "ab"} == live


def test_a_former_owner_s_checkpoint_counts_for_nothing() -> None:
    """The log refuses it; what it would have said is older than what the table says."""
    world = World(orders())
    former = world.own()
    world.script.hold("charge")
    world.ask(saga(), "a")
    world.settle()
    owner = world.own()
    world.script.let_go("charge")
    world.settle()
    owner.checkpoint()
    rows = dict(world.tables["orders", 0])
    assert not former.checkpoint()
    assert world.tables["orders", 0] == rows


@pytest.mark.parametrize("acting", [True, False])
def test_it_waits_for_the_letter_of_a_poison_fact_that_it_would_go_past(*, acting: bool) -> None:
    """What nobody reads again must not be lost with the owner that alone has read it."""
    world = World(orders())
    owner = world.own()
    if acting:
        world.settle()
    world.append("orders.events", 0, Entry(b"garbage", b"{"))
    owner.land(1)
    owner.fold()
    assert not owner.checkpoint()
    owner.crash()
    successor = world.own()
    world.settle()
    assert [letter.topic for letter in world.letters()] == ["orders.events"]
    assert successor.checkpoint()
