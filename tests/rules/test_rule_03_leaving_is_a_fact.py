"""Rule 3: an instance leaves only by `Forgotten`; the checkpoint after it is its tombstone."""

from sagalog.schemas import facts as f
from tests.engine.orders import orders
from tests.engine.owner import Owner
from tests.engine.world import World, saga


def kept_too_long() -> tuple[World, Owner]:
    """An instance whose retention is over, and an owner that knows it."""
    world = World(orders(retention=1))
    owner = world.own()
    world.ask(saga(), "a")
    world.settle()
    owner.checkpoint()
    world.now += 2000
    world.tell(f.Completed("x"), "stranger")
    owner.fold()
    owner.poll()
    return world, owner


def test_time_alone_removes_nothing() -> None:
    _, owner = kept_too_long()
    assert owner.partition.table.get("a") is not None
    assert not [entry for entry in owner.partition.checkpoint() if entry.key == b"a"]


def test_it_is_there_until_its_forgotten_has_been_read_back() -> None:
    world, owner = kept_too_long()
    owner.tick()
    assert owner.partition.table.get("a") is not None
    owner.land()
    assert owner.partition.table.get("a") is not None
    owner.fold()
    assert owner.partition.table.get("a") is None
    assert world.kinds("a")[-1] == "Forgotten"


def test_the_checkpoint_after_it_writes_the_tombstone() -> None:
    world, owner = kept_too_long()
    world.settle()
    assert [e.value for e in owner.partition.checkpoint() if e.key == b"a"] == [None]


def test_every_reader_sees_it_leave() -> None:
    world, _ = kept_too_long()
    world.settle()
    world.tables.clear()
    successor = world.own()
    successor.fold()
    assert successor.partition.table.get("a") is None


def test_a_lost_one_is_written_again_by_the_next_owner() -> None:
    world, owner = kept_too_long()
    owner.tick()
    owner.crash()
    successor = world.own()
    world.settle()
    assert world.status("a") == "completed"
    successor.poll()
    world.settle()
    assert world.status("a") == ""


def test_an_instance_that_wants_something_is_not_forgotten() -> None:
    world, owner = kept_too_long()
    world.script.hold("reserve")
    world.ask(saga(), "b")
    world.settle()
    world.now += 100_000
    world.tell(f.Completed("x"), "stranger")
    world.settle()
    owner.poll()
    world.settle()
    assert world.status("b") == "running"
