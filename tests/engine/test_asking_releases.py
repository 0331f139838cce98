"""Releases: how a person moves a parked step, or a stuck undo, on."""

from typing import Any

import pytest

from sagalog.schemas.requests import Release
from tests.engine.orders import orders
from tests.engine.script import ERROR, TERMINAL
from tests.engine.world import World, saga, to


@pytest.fixture
def world() -> World:
    world = World(orders())
    world.own()
    world.settle()
    return world


def said(world: World, request: str) -> list[tuple[str, str]]:
    return [(reply.kind, reply.status) for reply in world.replies(request)]


def start(world: World, *held: str, request: Any = None) -> None:
    world.script.hold(*held)
    world.ask(request or saga(), "a")
    world.settle()


def park(world: World, *failures: Any) -> None:
    """A saga that is stuck at `audit`."""
    world.script.on("audit", *failures)
    world.ask(saga("careful", reply_to=to("start")), "a")
    world.settle()
    for _ in range(3):
        world.later(10)
    assert world.status("a") == "stuck"


class TestRelease:
    def test_a_retry_calls_the_handler_again_with_the_same_key(self, world: World) -> None:
        park(world, ERROR, ERROR, ERROR)
        world.ask(Release("audit", by="ann", reply_to=to("r")), "a")
        world.settle()
        assert said(world, "r") == [("accepted", "")]
        assert world.status("a") == "completed"
        keys = {call.context.idempotency_key for call in world.calls if call.operation == "audit"}
        assert len(keys) == 1

    def test_a_retry_has_all_its_attempts_again(self, world: World) -> None:
        park(world, *[ERROR] * 6)
        world.ask(Release("audit"), "a")
        world.settle()
        for _ in range(3):
            world.later(10)
        assert world.status("a") == "stuck"
        assert world.called().count("audit") == 6

    @pytest.mark.parametrize(("how", "result"), [("resolve", "by hand"), ("skip", None)])
    def test_a_step_settled_by_hand_is_not_called_again(
        self, world: World, how: Any, result: Any
    ) -> None:
        park(world, ERROR, ERROR, ERROR)
        world.ask(Release("audit", how, result), "a")
        world.settle()
        state = world.state("a")
        assert state is not None
        assert (state.status, state.result["audit"]) == ("completed", result)
        assert world.called().count("audit") == 3

    def test_the_client_hears_the_end_after_it_heard_that_it_was_stuck(self, world: World) -> None:
        park(world, ERROR, ERROR, ERROR)
        world.ask(Release("audit"), "a")
        world.settle()
        assert said(world, "start") == [("outcome", "stuck"), ("outcome", "completed")]

    @pytest.mark.parametrize(
        "request_",
        [
            Release("audit", attempt=2, reply_to=to("r")),
            Release("audit", number=1, attempt=3, reply_to=to("r")),
            Release("reserve", reply_to=to("r")),
            Release("nope", reply_to=to("r")),
        ],
    )
    def test_one_for_what_is_not_parked_there_changes_nothing(
        self, world: World, request_: Release
    ) -> None:
        park(world, ERROR, ERROR, ERROR)
        world.ask(request_, "a")
        world.settle()
        assert said(world, "r") == [("outcome", "stuck")]
        assert "StepReleased" not in world.kinds("a")

    def test_one_that_says_where_it_saw_it_parked_counts_once(self, world: World) -> None:
        park(world, *[ERROR] * 6)
        request = Release("audit", attempt=3)
        for _ in range(2):
            world.ask(request, "a")
            world.settle()
            for _ in range(3):
                world.later(10)
        assert world.kinds("a").count("StepReleased") == 1

    def test_a_stuck_undo_is_tried_again(self, world: World) -> None:
        world.script.on("ship", TERMINAL)
        world.script.on("refund", TERMINAL)
        world.ask(saga(reply_to=to("start")), "a")
        world.settle()
        (reply,) = world.replies("start")
        assert (reply.status, reply.remaining) == ("stuck", ("charge", "reserve"))
        world.ask(Release("charge", number=1, attempt=1), "a")
        world.settle()
        assert world.status("a") == "compensated"
        assert world.called()[3:] == ["refund", "refund", "release"]

    def test_of_what_is_not_there_it_is_told_so(self, world: World) -> None:
        world.ask(Release("audit", reply_to=to("r")), "a")
        world.settle()
        assert said(world, "r") == [("unknown", "")]

    def test_a_result_too_large_for_a_fact_is_refused(self, world: World) -> None:
        park(world, ERROR, ERROR, ERROR)
        world.ask(Release("audit", "resolve", "x" * 1_000_000, reply_to=to("r")), "a")
        world.settle()
        assert said(world, "r") == [("refused", "")]
        assert world.owners["orders", 0].partition.commits()["normal"] == 2
