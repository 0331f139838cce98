"""The processor of one partition: taking, acting, losing, giving up, and starting over."""

from typing import Any

import pytest

from sagalog.engine import step
from sagalog.engine.results import Returned
from tests.engine.orders import orders
from tests.engine.owner import Owner
from tests.engine.script import ERROR, TERMINAL, TIMEOUT
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


class TestRunning:
    def test_a_saga_runs_its_steps_in_order_and_ends(self, world: World) -> None:
        world.ask(saga(), "a")
        world.settle()
        assert world.called() == ["reserve", "charge", "ship"]
        assert world.kinds("a") == ["Started", *["StepCompleted"] * 3, "Completed"]

    def test_the_last_result_and_the_end_are_appended_together(
        self, world: World, owner: Owner
    ) -> None:
        world.script.hold("charge")
        world.ask(run("charge"), "a")
        world.settle()
        owner.finish("charge", Returned(1))
        assert len(owner.outbox) == 2

    def test_so_are_the_last_undo_and_the_end(self, world: World, owner: Owner) -> None:
        world.script.on("charge", TERMINAL)
        world.script.hold("release")
        world.ask(saga(), "a")
        world.settle()
        owner.finish("release", Returned(None))
        assert len(owner.outbox) == 2

    def test_branches_run_side_by_side(self, world: World, owner: Owner) -> None:
        world.script.hold("reserve", "charge")
        world.ask(saga("wide"), "a")
        world.settle()
        assert sorted(invocation.operation for _, invocation in owner.running) == [
            "charge",
            "reserve",
        ]

    def test_a_handler_is_told_what_it_needs(self, world: World) -> None:
        said: dict[str, Any] = {
            "key": "k",
            "priority": "high",
            "tenant": "acme",
            "deadline": world.now + 10**6,
        }
        world.ask(saga(**said, traceparent="00-ab", input={"n": 7}), "a", lane="high")
        world.settle()
        call = world.calls[1]
        run_ = world.facts("a")[0].run
        assert call.input == {"n": 7}
        assert call.context.idempotency_key == f"a:{run_}:charge"
        assert {name: getattr(call.context, name) for name in said} == said
        assert (call.context.name, call.context.step, call.context.attempt) == (
            "order",
            "charge",
            1,
        )
        assert call.context.results == {"reserve": "reserve"}
        assert call.call.lane == "high"

    def test_an_undo_is_told_which_it_is(self, world: World) -> None:
        world.script.on("charge", TIMEOUT, TIMEOUT, TIMEOUT)
        world.ask(saga(), "a")
        world.settle()
        for _ in range(3):
            world.later(10)
        refund = next(call for call in world.calls if call.operation == "refund")
        run_ = world.facts("a")[0].run
        assert refund.context.phase == "undo"
        assert refund.context.idempotency_key == f"a:{run_}:charge:undo:1"
        assert refund.context.results == {"reserve": "reserve"}

    @pytest.mark.parametrize("given", ["the saga's", "its own"])
    def test_a_handler_that_changes_its_input_changes_nobody_else_s(self, given: str) -> None:
        app, input_ = orders(), {"items": [1]}
        charge = app.operations["charge"]
        own = None if given == "the saga's" else input_
        app.saga("mine", step(charge, input=own), step(charge, name="again", input=own))
        world = World(app)
        world.own()
        for name in "ab":
            world.script.hold("charge")
            world.ask(saga("mine", input=input_), name)
            world.settle()
            call = world.calls[-1]
            call.input["items"].append(2)
            world.script.let_go("charge")
            world.settle()
        others = [call.input for call in world.calls[1::2]]
        assert others == [{"items": [1]}, {"items": [1]}]
        assert world.calls[2].input == {"items": [1, 2]}

    def test_so_it_is_for_the_results_that_it_asks_for(self, world: World) -> None:
        world.script.on("reserve", Returned({"items": [1]}))
        world.ask(saga(), "a")
        world.settle()
        charge, ship = world.calls[1:]
        charge.context.result("reserve")["items"].append(2)
        assert ship.context.result("reserve") == {"items": [1]}

    def test_a_result_too_large_for_a_fact_fails_the_step_which_is_undone(
        self, world: World
    ) -> None:
        world.script.on("charge", Returned("x" * 1_000_000))
        world.ask(saga(reply_to=to("1")), "a")
        world.settle()
        assert world.status("a") == "compensated"
        assert world.called() == ["reserve", "charge", "refund", "release"]

    def test_a_result_that_json_cannot_hold_does_so_too(self, world: World) -> None:
        world.script.on("charge", Returned(object()))
        world.ask(saga(), "a")
        world.settle()
        assert world.called() == ["reserve", "charge", "refund", "release"]

    def test_every_fact_carries_tenant_and_trace(self, world: World) -> None:
        world.ask(saga(tenant="acme", traceparent="00-ab"), "a")
        world.settle()
        messages = world.read("orders.events", instance="a")[1:]
        assert {(m.tenant, m.traceparent) for m in messages} == {("acme", "00-ab")}


def test_the_next_timer_is_told_to_the_driver(world: World, owner: Owner) -> None:
    assert owner.partition.next_due() is None
    world.script.on("reserve", ERROR)
    world.ask(saga("brief"), "a")
    world.settle()
    assert owner.partition.next_due() == world.now + 1000
    world.later(1)
    assert owner.partition.next_due() is None


def test_how_many_are_starting_is_told_to_the_driver(world: World, owner: Owner) -> None:
    for name in "abc":
        world.ask(saga(), name)
    owner.take_in()
    assert owner.partition.starting == 3
    owner.land()
    owner.fold()
    assert owner.partition.starting == 0


def test_counters_say_what_happened(world: World, owner: Owner) -> None:
    world.ask(saga(), "a")
    world.script.on("ship", TERMINAL)
    world.ask(saga(), "b")
    world.settle()
    counters = owner.partition.counters
    assert (counters["completed"], counters["compensated"]) == (1, 1)
