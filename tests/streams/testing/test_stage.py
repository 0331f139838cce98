"""What a test of a saga does with the stage: run, wait, look."""

import asyncio
from datetime import UTC, datetime, timedelta
from time import process_time
from unittest import TestCase

import pytest

from sagalog.engine import App, Context, InvalidInput, Retry, Terminal, step
from sagalog.schemas import facts as f
from sagalog.schemas.requests import StepData
from sagalog.streams import Conflict, NotFound, PodSettings
from sagalog.streams.testing import Stage, Stalled
from tests.streams.testing.shop import (
    Order,
    anew,
    app,
    charge,
    check,
    inspect,
    mail,
    outside,
    place_order,
    reserve,
    scan,
    sell,
    shipping,
)


def test_a_saga_runs_and_its_calls_are_seen() -> None:
    with Stage(app) as stage:
        outcome = stage.run(place_order, Order(), key="order-1")
        assert outcome.status == "completed"
        assert outcome.result(reserve) == "shelf of the lamp"
        assert stage.calls.names == ["reserve", "charge", "mail"]
        call = stage.calls.of(charge)[0]
        assert (call.app, call.name, call.step, call.phase) == (
            "orders",
            "place-order",
            "charge",
            "forward",
        )
        assert (call.attempt, call.key, call.input, call.ended) == (
            1,
            "order-1",
            Order(),
            "returned",
        )
        assert call.idempotency_key in outside.charged


def test_a_declined_card_puts_the_lamp_back() -> None:
    anew()
    with Stage(app) as stage:
        stage.fail(charge, Terminal("declined"))
        outcome = stage.run(place_order, Order())
        assert outcome.status == "compensated"
        assert outcome.error is not None
        assert outcome.error.message == "declined"
        assert stage.calls.names == ["reserve", "charge", "put_back"]
        assert [type(fact) for fact in stage.facts(outcome)] == [
            f.Started,
            f.StepCompleted,
            f.StepFailed,
            f.StepCompensated,
            f.Compensated,
            f.DeadLettered,
        ]
        (letter,) = stage.dead_letters
        assert (letter.step, letter.error.message) == ("charge", "declined")
    assert outside.reserved == set()


def test_the_app_itself_stays_as_it_is() -> None:
    with Stage(app) as stage:
        stage.replace(charge, returns="fake")
        assert stage.run(place_order, Order()).results["charge"] == "fake"
    with Stage(app) as stage:
        assert stage.run(place_order, Order()).results["charge"] != "fake"


def test_a_deadline_in_thirty_days_costs_nothing() -> None:
    with Stage(app) as stage:
        stage.hang(mail, for_="31d")
        began = process_time()
        outcome = stage.run(place_order, Order(), deadline="30d")
        took = process_time() - began
        assert outcome.status == "compensated"
        assert outcome.error is not None
        assert outcome.error.message == "the deadline passed"
        assert stage.elapsed == timedelta(days=31)
        assert took < 0.05


def test_what_is_for_later_begins_later_and_time_is_skipped() -> None:
    with Stage(app) as stage:
        outcome = stage.run(place_order, Order(), delay="7d", queue_limit="1h", keep="1d")
        assert outcome.status == "completed"
        assert stage.elapsed >= timedelta(days=7)


def test_a_repeat_gets_what_it_asks_for() -> None:
    with Stage(app) as stage:
        first = stage.start(place_order, Order(), key="k")
        assert stage.run(place_order, Order(), key="k") == first.outcome()
        with pytest.raises(Conflict):
            stage.run(place_order, Order(), key="k", on_repeat="refuse")


def test_retries_over_thirty_days_cost_nothing() -> None:
    app = App("patient")
    patient = Retry(max_attempts=31, first=86400, factor=1, longest=86400, jitter=0)

    @app.operation(retry=patient)
    async def call(number: int) -> None: ...

    with Stage(app) as stage:
        stage.fail(call, times=30)
        began = process_time()
        assert stage.run(call, 1).status == "completed"
        assert process_time() - began < 0.5
        assert stage.elapsed == timedelta(days=30)
        assert [c.time.day for c in stage.calls][:3] == [1, 2, 3]


def test_what_a_handler_waits_for_costs_nothing() -> None:
    app = App("slow")

    @app.operation(timeout=86400)
    async def cook(dish: str) -> str:
        await asyncio.sleep(3600)
        return f"a warm {dish}"

    with Stage(app) as stage:
        assert stage.run(cook, "soup").value == "a warm soup"
        assert stage.elapsed == timedelta(hours=1)


def test_time_begins_when_the_test_says() -> None:
    noon = datetime(2031, 5, 1, 12, tzinfo=UTC)
    with Stage(app, at=noon) as stage:
        stage.advance("90m")
        assert stage.now == datetime(2031, 5, 1, 13, 30, tzinfo=UTC)
        outcome = stage.run(place_order, Order())
        assert stage.calls[0].time == stage.now
        assert "1 h 30 m  started" in stage.timeline(outcome)


def test_two_runs_of_one_test_are_the_same() -> None:
    def run() -> tuple[str, list[str]]:
        with Stage(app) as stage:
            stage.fail(mail, times=2)
            stage.run(place_order, Order())
            return stage.timeline(), [call.idempotency_key for call in stage.calls]

    assert run() == run()


def test_a_started_saga_goes_on_when_time_does() -> None:
    with Stage(app) as stage:
        stage.hang(charge, for_="3s")
        order = stage.start(place_order, Order())
        stage.advance(1)
        assert order.status == "running"
        assert stage.calls.running().names == ["charge"]
        order.cancel("changed my mind")
        assert order.outcome().status == "cancelled"
        assert stage.calls.names == ["reserve", "charge", "refund", "put_back"]


def test_the_same_key_finds_the_first_and_another_payload_is_a_conflict() -> None:
    with Stage(app) as stage:
        first = stage.run(place_order, Order(), key="order-1")
        assert stage.run(place_order, Order(), key="order-1") == first
        with pytest.raises(Conflict):
            stage.run(place_order, Order(item="piano"), key="order-1")
        assert stage.calls.names == ["reserve", "charge", "mail"]


def test_a_key_has_a_second_life_after_its_retention() -> None:
    with Stage(app) as stage:
        first = stage.run(place_order, Order(), key="order-1")
        stage.advance("25h")
        stage.run(place_order, Order(), key="another")  # the log's time moves with its facts
        stage.advance("1m")
        assert stage.get(first.instance).status == "forgotten"
        with pytest.raises(NotFound):
            stage.get(first.instance).outcome()
        assert stage.run(place_order, Order(item="piano"), key="order-1").status == "completed"
        keys = [call.idempotency_key for call in stage.calls if call.instance == first.instance]
        assert len(set(keys)) == 6


def test_an_operation_runs_alone() -> None:
    with Stage(app) as stage:
        assert stage.run(inspect).value == "fine"
        assert stage.run("orders/inspect").value == "fine"


def test_a_saga_given_as_data() -> None:
    steps = [
        StepData("reserve", compensation="put_back"),
        StepData("charge", name="pay", parameters={"cents": 9}, max_retries=0),
    ]
    with Stage(app) as stage:
        outcome = stage.run("gift", Order(), steps=steps)
        assert outcome.results["pay"].startswith("receipt")
        assert stage.calls.of("pay")[0].input == Order(cents=9)
        stage.fail(charge, when=lambda call: call.step == "pay")
        assert stage.run("gift", Order(), steps=steps).status == "compensated"


def test_a_step_of_another_app_is_a_child_with_a_timeline_of_its_own() -> None:
    with Stage(app, shipping) as stage:
        outcome = stage.run(sell, Order())
        assert outcome.results["ship"] == "parcel with a lamp"
        child = stage.get(stage.calls.of("ship")[0].instance)
        assert child.outcome().value == "parcel with a lamp"
        assert child.status == "completed"
        assert "parent told" in stage.timeline(child)
        stage.hang("shipping/ship", after_effect=True, for_="2m")
        order = stage.start(sell, Order())
        order.cancel()
        stage.advance("1m")
        assert order.status == "compensating"  # it waits until the call has settled
        assert order.outcome().status == "cancelled"
        assert stage.calls.names[-2:] == ["call_back", "put_back"]


def test_a_spread_step_runs_in_a_partition_of_its_own_id() -> None:
    with Stage(app, partitions=4) as stage:
        outcome = stage.run(scan, Order())
        assert outcome.status == "completed"
        assert len({call.instance for call in stage.calls}) == 2


def test_a_step_elsewhere_without_its_app_is_refused_with_a_hint() -> None:
    with Stage(app) as stage:
        with pytest.raises(ValueError, match=r"stand_in\('shipping/ship', returns=...\)"):
            stage.run(sell, Order())
        with pytest.raises(ValueError, match="shipping/ship"):
            stage.run("gift", Order(), steps=[StepData("shipping/ship")])


def test_what_the_client_refuses_is_refused() -> None:
    with Stage(app) as stage, pytest.raises(InvalidInput, match="item"):
        stage.run(place_order, {"item": 5})


def test_what_is_not_on_the_stage_is_said() -> None:
    other = App("other")

    @other.operation
    def stray() -> None: ...

    with Stage(app) as stage:
        with pytest.raises(ValueError, match="belongs to no app on this stage"):
            stage.run(stray)
        with pytest.raises(ValueError, match="'other' is not on this stage"):
            stage.run("other/stray")
        with pytest.raises(ValueError, match="'other' is not on this stage"):
            stage.client(other)
        with pytest.raises(ValueError, match="'chrage' is no operation and no step"):
            stage.fail("chrage")


def test_a_coroutine_of_ones_own_is_driven_with_the_real_client() -> None:
    async def place_two(stage: Stage) -> list[str]:
        client = stage.client()
        handles = [await client.start(place_order, Order(), key=f"{n}") for n in range(2)]
        return [(await handle.outcome(timeout=60)).status for handle in handles]

    with Stage(app) as stage:
        stage.hang(mail, for_=30)
        assert stage.drive(place_two(stage)) == ["completed", "completed"]
        assert stage.elapsed == timedelta(seconds=30)


async def test_the_stage_works_inside_an_async_test() -> None:
    with Stage(app) as stage:
        stage.hang(mail, for_="1h")
        assert stage.run(place_order, Order()).status == "completed"


class TestOrders(TestCase):
    def setUp(self) -> None:
        self.stage = self.enterContext(Stage(app))

    def test_the_stage_works_in_a_unittest(self) -> None:
        assert self.stage.run(place_order, Order()).status == "completed"


def test_a_handler_that_never_returns_is_explained() -> None:
    with Stage(app) as stage:
        stage.hang(mail)
        with pytest.raises(Stalled) as raised:
            stage.run(place_order, Order(), key="order-1")
        said = str(raised.value)
        assert "place-order order-1: running" in said
        assert (
            "mail (place-order order-1, attempt 1) was called at 0 ms and has not returned" in said
        )
        assert "timeout" in said


def test_a_call_that_goes_on_for_ever_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    async def poll() -> None:
        while True:  # noqa: ASYNC110 (what such a handler does)
            await asyncio.sleep(60)

    monkeypatch.setattr("sagalog.streams.testing.leaps.MOST_TURNS", 5000)
    with Stage(app) as stage:
        stage.replace(mail, poll)
        with pytest.raises(Stalled, match=r"5,000 turns went by(?s:.)*mail \(place-order"):
            stage.run(place_order, Order())


def test_a_failing_test_is_shown_the_timeline() -> None:
    def test() -> None:
        with Stage(app) as stage:
            stage.fail(charge, Terminal("declined"))
            assert stage.run(place_order, Order(), key="order-1").status == "completed"

    with pytest.raises(AssertionError) as raised:
        test()
    (note,) = raised.value.__notes__
    assert "place-order order-1: compensated" in note
    assert "step failed charge 1  Terminal: declined (for good)" in note


def test_a_stage_is_used_in_a_with_block() -> None:
    with pytest.raises(RuntimeError, match=r"with Stage\(app\) as stage:"):
        Stage(app).run(place_order, Order())


def test_the_settings_are_the_pod_s() -> None:
    with Stage(app, settings=PodSettings(slots=1)) as stage:
        stage.hang(mail, for_="1s")
        orders = [stage.start(place_order, Order()) for _ in range(3)]
        stage.advance(0.5)
        assert len(stage.calls.of(mail)) == len(stage.calls.running()) == 1
        assert {order.outcome().status for order in orders} == {"completed"}


def test_a_tenant_is_the_client_s() -> None:
    seen: list[str] = []
    with Stage(app, tenant="acme") as stage:
        stage.replace(mail, lambda ctx: seen.append(ctx.tenant))
        stage.run(place_order, Order())
    assert seen == ["acme"]


def test_a_parked_step_is_released() -> None:
    with Stage(app) as stage:
        stage.fail(inspect)
        order = stage.start(check, Order())
        assert order.outcome().status == "stuck"
        with pytest.raises(ValueError, match=r"reserve of .* is not parked"):
            order.release("reserve")
        order.release("inspect", "resolve", "seen by hand")
        assert order.status == "completed"
        assert stage.run(inspect).status == "dead"
        stage.mend(inspect)
        dead = stage.start(inspect, key="again")
        assert dead.outcome().value == "fine"


def test_a_context_of_a_call_is_the_real_one() -> None:
    seen: list[Context] = []
    with Stage(app) as stage:
        stage.replace(mail, lambda order, ctx: seen.append(ctx))
        stage.run(place_order, Order(), deadline="1h", priority="high")
        (ctx,) = seen
        assert ctx.result(reserve) == "shelf of the lamp"
        assert ctx.deadline == round((stage.now + timedelta(hours=1)).timestamp() * 1000)
        assert ctx.priority == "high"


def test_a_graph_of_steps() -> None:
    app = App("wide")

    @app.operation
    async def left() -> str:
        return "l"

    @app.operation
    async def right() -> str:
        return "r"

    @app.operation
    def join(ctx: Context) -> str:
        return f"{ctx.result(left)}{ctx.result(right)}"

    wide = app.saga("wide", step(left), step(right, after=()), step(join, after=[left, right]))
    with Stage(app) as stage:
        stage.hang(left, for_=5)
        assert stage.run(wide).result(join) == "lr"
