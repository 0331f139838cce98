"""Rule 4: all that belongs to a life carries its random run, and other runs are ignored."""

from dataclasses import replace

from sagalog.engine.results import Returned
from sagalog.schemas import facts as f
from sagalog.schemas.requests import Cancel, Compensate
from tests.engine.orders import orders, payments
from tests.engine.script import TERMINAL
from tests.engine.world import World, run, saga


def forget(world: World, app: str = "orders") -> None:
    """All that has ended leaves."""
    world.now += 1000
    world.tell(f.Completed("x"), "stranger", app=app)
    world.settle()
    world.owners[app, 0].poll()
    world.settle()


def two_lives() -> World:
    world = World(orders(retention=0))
    world.own()
    world.ask(run("charge"), "a")
    world.settle()
    forget(world)
    assert world.status("a") == ""
    world.script.hold("charge")
    world.ask(run("charge"), "a")
    world.settle()
    return world


def runs(world: World) -> list[str]:
    return [fact.run for fact in world.facts("a") if isinstance(fact, f.Started)]


def test_two_lives_of_one_id_have_two_runs_and_no_fact_id_in_common() -> None:
    world = two_lives()
    first, second = runs(world)
    assert first != second
    ids = [message.id for message in world.read("orders.events", instance="a")]
    assert len(set(ids)) == len(ids)


def test_the_keys_of_two_lives_differ() -> None:
    keys = [call.context.idempotency_key for call in two_lives().calls]
    assert len(set(keys)) == 2


def test_facts_of_a_former_life_are_ignored() -> None:
    world = two_lives()
    former, _ = runs(world)
    before = world.state("a")
    for fact in (
        f.StepCompleted(former, "charge", 1, "of old"),
        f.StepFailed(former, "charge", 1, TERMINAL, final=True),
        f.CancelRequested(former),
        f.Completed(former),
        f.Forgotten(former, {}),
    ):
        world.tell(fact, "a")
    world.settle()
    assert world.state("a") == before


def test_requests_meant_for_a_former_life_are_dropped() -> None:
    world = two_lives()
    former, _ = runs(world)
    world.ask(Cancel(run=former), "a")
    world.ask(Compensate(1, former, "charge"), "a", lane="compensations")
    world.settle()
    assert world.status("a") == "running"
    assert world.called() == ["charge", "charge"]


def test_a_handler_of_a_former_life_says_nothing_about_this_one() -> None:
    world = World(orders(retention=0))
    owner = world.own()
    world.script.hold("charge")
    world.ask(run("charge"), "a")
    world.settle()
    (first,) = runs(world)
    for fact in (f.StepCompleted(first, "charge", 1, 1), f.Completed(first)):
        world.tell(fact, "a")
    world.settle()
    forget(world)
    world.ask(run("charge"), "a")
    world.settle()
    owner.finish("charge", Returned("of old"))
    world.settle()
    assert world.status("a") == "running"


def test_a_child_belongs_to_one_life_of_its_parent() -> None:
    world = World(orders(retention=0), payments(retention=0))
    world.own_all()
    for _ in range(2):
        world.ask(saga("remote"), "a")
        world.settle()
        forget(world)
        forget(world, "payments")
    children = {m.subject for m in world.read("payments.normal")}
    assert len(children) == 2
    keys = [call.context.idempotency_key for call in world.calls]
    assert len(set(keys)) == len(keys) == 6


def test_a_run_is_one_owner_s_and_never_comes_twice() -> None:
    world = World(orders())
    for number in range(3):
        world.own()
        world.ask(saga(), f"i{number}")
        world.settle()
    started = [fact for fact in world.facts() if isinstance(fact, f.Started)]
    assert len({fact.run for fact in started}) == 3
    assert all(
        replace(fact, run="") == replace(started[0], run="", lane_offset=fact.lane_offset)
        for fact in started
    )
