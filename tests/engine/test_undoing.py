"""What becomes of a `Compensate` for a step of this partition's own instances."""

from typing import Any

import pytest

from sagalog.engine.results import Returned
from sagalog.schemas.requests import Compensate
from tests.engine.orders import orders
from tests.engine.owner import Owner
from tests.engine.script import AWAY, ERROR, TERMINAL
from tests.engine.world import World, saga


@pytest.fixture
def world() -> World:
    world = World(orders())
    world.own()
    world.settle()
    return world


@pytest.fixture
def owner(world: World) -> Owner:
    return world.owners["orders", 0]


class TestHere:
    def test_undos_travel_through_their_own_lane(self, world: World, owner: Owner) -> None:
        world.script.on("ship", TERMINAL)
        world.ask(saga(), "a")
        world.settle()
        asked = [message.data for message in world.read("orders.compensations")]
        assert [(x.step, x.number, x.attempt) for x in asked] == [
            ("charge", 1, 1),
            ("reserve", 1, 1),
        ]
        assert owner.partition.commits()["compensations"] == 2

    def test_a_request_is_done_with_when_the_undo_s_fact_is_safe(
        self, world: World, owner: Owner
    ) -> None:
        world.script.on("charge", TERMINAL)
        world.script.hold("release")
        world.ask(saga(), "a")
        world.settle()
        owner.finish("release", Returned(None))
        assert owner.partition.commits()["compensations"] == 0
        owner.land()
        assert owner.partition.commits()["compensations"] == 1

    @pytest.mark.parametrize(
        "fields",
        [
            {"run": "another"},
            {"step": "charge"},
            {"step": "nope"},
            {"number": 2},
            {"attempt": 2},
        ],
    )
    def test_what_the_state_does_not_ask_for_is_dropped(
        self, world: World, owner: Owner, fields: dict[str, Any]
    ) -> None:
        world.script.on("charge", TERMINAL)
        world.script.hold("release")
        world.ask(saga(), "a")
        world.settle()
        run_ = world.facts("a")[0].run
        stray = Compensate(**{"number": 1, "run": run_, "step": "reserve", **fields})
        world.ask(stray, "a", lane="compensations")
        world.settle()
        world.script.let_go("release")
        world.settle()
        assert world.called().count("release") == 1
        assert world.status("a") == "compensated"
        assert owner.partition.commits()["compensations"] == 2

    def test_a_repeat_runs_nothing_twice(self, world: World, owner: Owner) -> None:
        world.script.on("charge", TERMINAL)
        world.script.hold("release")
        world.ask(saga(), "a")
        world.settle()
        first = world.logs["orders.compensations", 0][0]
        world.append("orders.compensations", 0, first[4:7])  # type: ignore[arg-type]
        world.settle()
        assert len(owner.running) == 1
        world.script.let_go("release")
        world.settle()
        assert world.called().count("release") == 1

    def test_what_a_former_owner_asked_for_runs_once(self, world: World, owner: Owner) -> None:
        world.script.on("charge", TERMINAL)
        world.ask(saga(), "a")
        while not world.logs["orders.compensations", 0]:
            for step in (owner.take_in, owner.begin, owner.finish, owner.land, owner.fold):
                step()
        owner.crash()
        world.own()
        world.settle()
        assert len(world.logs["orders.compensations", 0]) == 2
        assert world.called().count("release") == 1
        assert world.status("a") == "compensated"

    def test_a_failed_undo_is_asked_for_again_after_the_wait(self, world: World) -> None:
        world.script.on("charge", TERMINAL)
        world.script.on("release", ERROR, AWAY)
        world.ask(saga(), "a")
        world.settle()
        assert world.called().count("release") == 1
        world.later(1)
        assert world.called().count("release") == 2
        world.later(2)
        keys = [c.context.idempotency_key for c in world.calls if c.operation == "release"]
        assert len(keys) == 3
        assert len(set(keys)) == 1
        assert world.status("a") == "compensated"
