"""From a request to a first fact, or to a refusal that says why."""

from collections import deque
from typing import Any

import pytest

from sagalog.engine import App, step
from sagalog.schemas import facts as f
from sagalog.schemas.requests import Parent, StepData
from tests.engine.orders import declare, orders
from tests.engine.world import World, run, saga, to

PARENT = Parent("orders", 0, "parent", "parent-run", "charge")


@pytest.fixture
def world() -> World:
    return acting(orders())


def acting(app: App) -> World:
    world = World(app)
    world.own()
    world.settle()
    return world


def started(world: World, request: Any, instance: str = "a", lane: str = "normal") -> f.Started:
    world.ask(request, instance, lane=lane)
    world.settle()
    first = world.facts(instance)[0]
    assert isinstance(first, f.Started)
    return first


def test_the_first_fact_holds_all_that_the_request_says(world: World) -> None:
    said: dict[str, Any] = {
        "key": "k",
        "priority": "low",
        "deadline": world.now + 10**6,
        "retention": 7,
        "tenant": "acme",
        "traceparent": "00-ab",
        "reply_to": to("1"),
        "confirm": True,
        "parent": PARENT,
        "input": {"n": 7},
        "fingerprint": "xyz",
    }
    fact = started(world, saga(**said), lane="low")
    assert {name: getattr(fact, name) for name in said} == said
    assert (fact.lane, fact.lane_offset) == ("low", 0)


def test_it_holds_the_definition_so_that_a_redeploy_changes_nothing(world: World) -> None:
    world.script.hold("reserve")
    fact = started(world, saga())
    assert fact.definition == orders().sagas["order"].definition
    world.owners["orders", 0].crash()
    world.apps["orders"] = App("orders")
    declare(world.apps["orders"], "reserve", "charge", "ship", "other")
    world.script.let_go("reserve")
    world.own()
    world.settle()
    assert world.status("a") == "completed"


def test_every_life_has_a_run_of_its_own(world: World) -> None:
    runs = {started(world, saga(), f"i{number}").run for number in range(5)}
    world.own()
    world.settle()
    runs |= {started(world, saga(), f"j{number}").run for number in range(5)}
    assert len(runs) == 10


@pytest.mark.parametrize(
    ("request_", "kind", "name"),
    [
        (saga("order"), "saga", "order"),
        (run("charge"), "operation", "charge"),
        (run("order"), "saga", "order"),
        (saga("mine", steps=(StepData("charge"),)), "saga", "mine"),
    ],
)
def test_what_is_started(world: World, request_: Any, kind: str, name: str) -> None:
    definition = started(world, request_).definition
    assert (definition.kind, definition.name) == (kind, name)


class TestTimes:
    def test_a_saga_s_deadline_counts_from_when_it_is_taken_in(self, world: World) -> None:
        assert started(world, saga("brief")).deadline == world.now + 9000

    def test_a_request_s_own_deadline_goes_first(self, world: World) -> None:
        deadline = world.now + 50
        assert started(world, saga("brief", deadline=deadline)).deadline == deadline

    def test_an_operation_alone_has_no_deadline_unless_it_is_asked_for(self) -> None:
        world = acting(orders(deadline=5))
        assert started(world, run()).deadline is None
        assert started(world, run(deadline=world.now + 9), "b").deadline == world.now + 9

    @pytest.mark.parametrize(
        ("said", "declared", "kept"), [(7, 3, 7), (None, 3, 3000), (None, None, 5000), (0, 3, 0)]
    )
    def test_retention_is_the_request_s_or_the_saga_s_or_the_app_s(
        self, said: int | None, declared: int | None, kept: int
    ) -> None:
        app = orders(retention=5)
        app.saga("kept", step(app.operations["charge"]), retention=declared)
        assert started(acting(app), saga("kept", retention=said)).retention == kept


REFUSED: dict[str, Any] = {
    "an unknown saga": saga("nope", reply_to=to("1"), parent=PARENT),
    "an unknown operation": run("nope", reply_to=to("1"), parent=PARENT),
    "an unknown step": saga("x", steps=(StepData("nope"),), reply_to=to("1"), parent=PARENT),
    "no steps": saga("x", steps=(), reply_to=to("1"), parent=PARENT),
    "a cycle": saga(
        "x",
        steps=(StepData("charge", after=("ship",)), StepData("ship")),
        reply_to=to("1"),
        parent=PARENT,
    ),
    "too large": saga(input="x" * 1_000_000, reply_to=to("1"), parent=PARENT),
}


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED)
class TestRefused:
    def test_the_client_hears_why(self, world: World, request_: Any) -> None:
        world.ask(request_, "a")
        world.settle()
        (reply,) = world.replies("1")
        assert (reply.kind, reply.instance) == ("refused", "a")
        assert reply.error.message

    def test_it_stands_whole_in_the_dead_letters(self, world: World, request_: Any) -> None:
        record = world.ask(request_, "a")
        world.settle()
        (letter,) = world.letters()
        assert letter.entry().value == record.value
        assert world.owners["orders", 0].partition.commits()["normal"] == 1

    def test_its_parent_hears_that_the_step_failed(self, world: World, request_: Any) -> None:
        world.ask(request_, "a")
        world.settle()
        (fact,) = world.facts("parent")
        assert (fact.run, fact.step, fact.final) == ("parent-run", "charge", True)
        assert fact.error.kind == "terminal"

    def test_it_is_done_only_when_its_parent_was_told(self, world: World, request_: Any) -> None:
        """Nobody knows which of two appends to two topics lands first, and who dies between."""
        owner = world.owners["orders", 0]
        world.ask(request_, "a")
        owner.take_in()
        owner.outbox = deque(sorted(owner.outbox, key=lambda append: append.topic))
        assert "orders.events" in [append.topic for append in owner.outbox]
        while owner.outbox[0].topic != "orders.events":
            owner.land(1)
        owner.commit()
        owner.crash()
        world.own()
        world.settle()
        assert [type(fact) for fact in world.facts("parent")] == [f.StepFailed]

    def test_there_is_no_instance(self, world: World, request_: Any) -> None:
        world.ask(request_, "a")
        world.settle()
        assert world.kinds("a") == []


class TestTooOld:
    def test_a_request_of_the_engine_from_before_the_retention_is_refused(self) -> None:
        world = acting(orders(retention=5))
        world.ask(run(cause_time=world.now - 5001, parent=PARENT), "a")
        world.settle()
        assert world.kinds("a") == []
        assert [type(fact) for fact in world.facts("parent")] == [f.StepFailed]
        assert world.owners["orders", 0].partition.commits()["normal"] == 1

    def test_one_from_within_it_is_taken_in(self) -> None:
        world = acting(orders(retention=5))
        world.ask(run(cause_time=world.now - 5000), "a")
        world.settle()
        assert world.kinds("a")[0] == "Started"

    def test_it_is_the_age_at_its_append_that_counts_not_the_wait_in_the_lane(self) -> None:
        world = World(orders(retention=5))
        world.ask(run(cause_time=world.now), "a")
        world.now += 3_600_000
        world.own()
        world.settle()
        assert world.kinds("a")[0] == "Started"

    def test_a_repeat_of_one_that_lives_is_answered_however_old(self) -> None:
        world = acting(orders(retention=5))
        world.script.hold("charge")
        world.ask(run(), "a")
        world.settle()
        world.ask(run(cause_time=world.now - 5001, parent=PARENT), "a")
        world.settle()
        assert world.facts("parent") == []


def test_a_confirmed_start_is_told_when_its_first_fact_is_in_the_log(world: World) -> None:
    owner = world.owners["orders", 0]
    world.script.hold("reserve")
    world.ask(saga(confirm=True, reply_to=to("1")), "a")
    owner.take_in()
    owner.land()
    assert world.replies("1") == []
    owner.fold()
    owner.land()
    assert [reply.kind for reply in world.replies("1")] == ["started"]
