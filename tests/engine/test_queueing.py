"""Requests for later, and those that waited too long: from the fold to the world."""

from sagalog.engine import App
from sagalog.engine.pending import Expire, Run, Send, pending
from sagalog.schemas import facts as f
from tests.engine.lives import ALONE, CHAIN, REMOTE, Life
from tests.engine.orders import declare, orders
from tests.engine.world import World, run, saga, to


def acting(app: App | None = None) -> World:
    world = World(app or orders())
    world.own()
    world.settle()
    return world


def test_a_first_step_waits_for_its_time_and_the_next_ones_do_not() -> None:
    life = Life(CHAIN, not_before=50_000)
    assert pending(life.state) == [Run(0, 1, 50_000)]
    life.then(f.StepCompleted("run", "a", 1))
    assert pending(life.state) == [Run(1, 1, 0)]


def test_a_step_elsewhere_is_sent_at_its_time_and_its_timeout_counts_from_then() -> None:
    alone = REMOTE.steps[1]
    first = type(REMOTE)("saga", "far", (type(alone)("b", "x/b", timeout=30),))
    life = Life(first, not_before=50_000)
    assert pending(life.state) == [Send(0, 50_000), Expire(0, 1, 50_030)]


def test_what_has_expired_has_ended_with_its_first_fact() -> None:
    state = Life(ALONE, expired=True).state
    assert (state.status, state.steps, pending(state)) == ("cancelled", (), [])
    assert state.ended_at == state.started_at
    assert state.error is not None
    assert state.error.type == "Expired"


def test_a_delayed_request_runs_when_its_time_comes_also_under_another_owner() -> None:
    world = acting()
    world.ask(run(not_before=world.now + 60_000), "a")
    world.settle()
    world.owners["orders", 0].crash()
    world.own()
    world.later(59)
    assert world.called() == []
    world.later(2)
    assert world.called() == ["charge"]
    assert world.status("a") == "completed"


def test_its_deadline_counts_from_when_it_may_begin() -> None:
    world = acting()
    world.ask(saga("brief", not_before=world.now + 3_600_000), "a")
    world.settle()
    started = world.facts("a")[0]
    lasting = orders().sagas["brief"].deadline
    assert lasting is not None
    assert started.deadline == started.not_before + lasting


def test_a_request_older_than_its_limit_is_not_begun_and_its_client_hears_it() -> None:
    world = acting()
    world.ask(run(queue_limit=1_000, reply_to=to("r")), "a")
    world.now += 1_001
    world.settle()
    assert world.kinds("a") == ["Started"]
    assert world.called() == []
    (reply,) = world.replies("r")
    assert (reply.kind, reply.status, reply.error.type) == ("outcome", "cancelled", "Expired")


def test_the_limit_counts_from_when_it_may_begin() -> None:
    world = acting()
    world.ask(run(queue_limit=1_000, not_before=world.now + 5_000), "a")
    world.now += 5_500
    world.settle()
    assert world.status("a") == "completed"


def test_an_operation_declares_its_own_limit_and_how_long_its_result_is_kept() -> None:
    app = App("orders")
    declare(app, "charge", "refund")
    app.operation(name="brief", queue_limit=1, retention=5)(lambda: None)
    world = acting(app)
    for n, limit in enumerate([None, 0, 60_000]):
        world.ask(run("brief", queue_limit=limit), f"i{n}")
    world.now += 2_000
    world.settle()
    assert [world.status(f"i{n}") for n in range(3)] == ["cancelled", "completed", "completed"]
    assert [world.facts(f"i{n}")[0].retention for n in range(3)] == [5_000] * 3


def test_a_repeat_with_any_payload_joins() -> None:
    world = acting()
    world.ask(run(), "a")
    world.ask(run(input={"n": 2}, fingerprint="g", reply_to=to("c")), "a")
    world.ask(run(input={"n": 2}, fingerprint="g", reply_to=to("j"), any_payload=True), "a")
    world.settle()
    assert [reply.kind for reply in world.replies("c")] == ["conflict"]
    assert [reply.status for reply in world.replies("j")] == ["completed"]
