"""Rule 5: low water, the lanes' horizon and the retention keep an old request from a new life."""

import pytest

from sagalog.schemas import facts as f
from tests.engine.orders import orders
from tests.engine.owner import Owner
from tests.engine.world import World, run, to


@pytest.fixture
def world() -> World:
    world = World(orders(retention=1))
    world.own()
    world.settle()
    return world


@pytest.fixture
def owner(world: World) -> Owner:
    return world.owners["orders", 0]


def ended(world: World) -> None:
    world.ask(run("charge"), "a")
    world.settle()


def mark(world: World) -> None:
    """A fact that shows what time it is."""
    world.tell(f.Completed("x"), "stranger")
    world.owners["orders", 0].fold()


def forget(world: World) -> None:
    world.now += 2000
    mark(world)
    world.owners["orders", 0].poll()
    world.settle()
    assert world.status("a") == ""


def test_forgotten_carries_the_low_water_of_each_lane(world: World) -> None:
    ended(world)
    forget(world)
    last = world.facts("a")[-1]
    assert isinstance(last, f.Forgotten)
    assert last.low == {"high": 0, "normal": 1, "low": 0, "compensations": 0}


def test_it_goes_no_further_than_what_is_done(world: World, owner: Owner) -> None:
    """Another request was read before `Forgotten` is written, and its first fact was lost."""
    ended(world)
    world.now += 2000
    mark(world)
    owner.poll()
    world.ask(run("charge"), "b")
    owner.take_in()
    lost = owner.outbox.pop()
    owner.tick()
    owner.land()
    assert world.kinds("a")[-1] == "Forgotten"
    assert lost.entry.key == b"b"
    owner.crash()
    world.own()
    world.settle()
    assert world.status("b") == "completed"


def test_a_first_fact_from_below_it_is_ignored(world: World) -> None:
    ended(world)
    first = world.facts("a")[0]
    forget(world)
    world.tell(first, "a", source="a zombie that took the same request in")
    world.settle()
    assert world.status("a") == ""
    assert world.called() == ["charge"]


def test_so_it_is_after_a_restore_from_a_checkpoint(world: World, owner: Owner) -> None:
    ended(world)
    first = world.facts("a")[0]
    forget(world)
    owner.checkpoint()
    owner.crash()
    world.own()
    world.settle()
    world.tell(first, "a", source="a zombie")
    world.settle()
    assert world.called() == ["charge"]


def test_intake_starts_at_the_low_water_when_the_committed_offset_is_behind(
    world: World, owner: Owner
) -> None:
    ended(world)
    forget(world)
    owner.checkpoint()
    world.committed.clear()
    owner.crash()
    successor = world.own()
    successor.land()
    successor.fold()
    assert successor.lanes == {"high": 0, "normal": 1, "low": 0, "compensations": 0}
    world.settle()
    assert world.called() == ["charge"]


def test_intake_starts_at_the_committed_offset_when_the_low_water_is_behind(
    world: World, owner: Owner
) -> None:
    world.ask(run("charge", reply_to=to("1")), "a")
    world.settle()
    owner.commit()
    owner.crash()
    successor = world.own()
    world.settle()
    assert successor.lanes is not None
    assert successor.lanes["normal"] == 1


def test_nothing_is_forgotten_before_its_retention_is_over(world: World, owner: Owner) -> None:
    ended(world)
    world.now += 999
    mark(world)
    owner.poll()
    world.settle()
    assert world.status("a") == "completed"


def test_nor_before_every_lane_is_read_past_it(world: World, owner: Owner) -> None:
    """A repeat that was sent within the retention still waits in another lane."""
    ended(world)
    world.now += 500
    world.ask(run("charge", reply_to=to("late")), "a", lane="low")
    world.now += 1500
    mark(world)
    owner.poll()
    owner.take_in("high", "normal", "compensations")
    owner.tick()
    assert [append.topic for append in owner.outbox] == []
    owner.take_in("low")
    owner.land()
    assert [reply.status for reply in world.replies("late")] == ["completed"]
    world.settle()
    assert world.status("a") == ""
    assert world.called() == ["charge"]


def test_nor_while_a_request_that_was_read_is_not_done(world: World, owner: Owner) -> None:
    ended(world)
    world.now += 2000
    mark(world)
    world.ask(run("charge"), "b", lane="low")
    owner.poll()
    owner.take_in()
    owner.tick()
    assert "Forgotten" not in world.kinds("a")
    assert len(owner.outbox) == 1
    world.settle()
    assert world.kinds("a")[-1] == "Forgotten"


def test_its_end_is_the_log_s_time_not_a_clock_s(world: World, owner: Owner) -> None:
    ended(world)
    owner.poll()
    world.now += 10**9
    owner.tick()
    world.settle()
    assert world.status("a") == "completed"


def test_a_new_request_after_the_retention_is_a_new_life(world: World) -> None:
    ended(world)
    forget(world)
    world.ask(run("charge"), "a")
    world.settle()
    assert world.status("a") == "completed"
    assert world.called() == ["charge", "charge"]


def test_a_repeat_while_forgotten_is_on_its_way_is_a_new_life_too(
    world: World, owner: Owner
) -> None:
    """It came behind the horizon, so it is new; it must not be lost between two lives."""
    ended(world)
    world.now += 2000
    mark(world)
    owner.poll()
    owner.tick()
    world.ask(run("charge", reply_to=to("2")), "a")
    owner.take_in()
    world.settle()
    assert [reply.status for reply in world.replies("2")] == ["completed"]
    assert world.kinds("a").count("Forgotten") == 1
    assert world.called() == ["charge", "charge"]


def test_a_request_that_the_low_water_has_overtaken_is_dropped(world: World, owner: Owner) -> None:
    """A zombie took it in, let it live and forgot it before this owner's first fact landed."""
    world.ask(run("charge"), "a")
    owner.take_in()
    world.tell(f.Forgotten("a life that this owner never saw", {"normal": 1}), "a")
    world.settle()
    assert world.kinds("a").count("Started") == 1
    assert world.status("a") == ""
    assert owner.partition.commits()["normal"] == 1
