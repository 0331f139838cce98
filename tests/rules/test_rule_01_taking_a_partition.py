"""Rule 1: fold to the end without acting, append `Taken`, act only after reading it back."""

from sagalog.schemas import facts as f
from tests.engine.orders import orders
from tests.engine.world import World, run, saga, to


def held(name: str) -> World:
    world = World(orders())
    world.own()
    world.script.hold(name)
    world.ask(saga(), "a")
    world.settle()
    return world


def test_while_it_folds_an_owner_appends_nothing_but_its_taken() -> None:
    world = held("reserve")
    owner = world.own()
    owner.fold()
    owner.tick()
    assert [append.topic for append in owner.outbox] == ["orders.events"]
    assert owner.ready == []


def test_while_it_folds_it_tells_nobody_anything() -> None:
    world = World(orders())
    world.own()
    world.ask(saga(reply_to=to("1")), "a")
    world.settle()
    world.owners["orders", 0].commit()
    owner = world.own()
    owner.fold()
    assert len(owner.outbox) == 1
    world.settle()
    assert len(world.replies("1")) == 2


def test_it_acts_on_what_stands_before_its_taken_and_not_on_less() -> None:
    world = held("charge")
    former = world.owners["orders", 0]
    owner = world.own()
    owner.fold()
    former.finish("charge")
    former.land()
    owner.land()
    owner.fold()
    owner.begin()
    assert world.called() == ["reserve", "charge", "ship"]


def test_another_s_later_taken_ends_its_acting() -> None:
    world = held("charge")
    former = world.owners["orders", 0]
    world.own().land()
    former.fold()
    former.finish("charge")
    assert list(former.outbox) == []
    assert not former.partition.intake("normal", world.ask(run(), "b"), world.now)


def test_another_s_earlier_taken_does_not() -> None:
    world = World(orders())
    first, second = world.own(), world.own()
    first.land()
    second.land()
    second.fold()
    assert second.partition.phase == "acting"


def test_what_is_read_in_one_go_with_another_s_taken_starts_nothing() -> None:
    world = World(orders())
    owner = world.own()
    world.settle()
    first = f.Started("r", orders().sagas["order"].definition, {}, "f", "normal", 0, 0)
    world.tell(first, "a")
    world.own().land()
    owner.fold()
    assert (owner.ready, owner.partition.phase) == ([], "lost")
