"""Handlers are watched, replaced, and stood in for."""

import asyncio
import time
from collections.abc import Callable
from contextvars import ContextVar
from threading import Event, Thread
from typing import Any

import pytest

from sagalog.engine import App, Context, Terminal, step
from sagalog.streams.testing import NoNetwork, NoThreads, Stage
from tests.streams.testing.shop import Order, app, charge, inspect, mail, place_order, sell


def test_a_handler_is_replaced_by_whatever_takes_as_much_as_it_needs() -> None:
    async def slow(order: Order) -> str:
        await asyncio.sleep(5)
        return f"for {order.item}"

    fakes: list[tuple[Callable[..., Any], str]] = [
        (slow, "for lamp"),
        (lambda order, ctx: f"{order.item} {ctx.step}", "lamp charge"),
        (lambda ctx: ctx.name, "place-order"),
        (lambda: "nothing", "nothing"),
        (lambda order: order.item, "lamp"),
    ]
    for fake, result in fakes:
        with Stage(app) as stage:
            stage.replace(charge, fake)
            assert stage.run(place_order, Order()).results["charge"] == result


def test_a_result_of_a_fake_is_checked_as_the_handler_s_is() -> None:
    with Stage(app) as stage:
        stage.replace(charge, returns=5)
        outcome = stage.run(place_order, Order())
        assert outcome.error is not None
        assert outcome.error.kind == "invalid"


def test_what_cannot_be_replaced_is_said() -> None:
    app = App("renamed")

    @app.operation
    def call() -> None: ...

    app.saga("one", step(call, name="ring"))
    with Stage(app) as stage, pytest.raises(ValueError, match=r"'ring' is no operation .* call"):
        stage.replace("ring", returns=1)


def test_a_stand_in_plays_a_step_of_an_app_that_is_not_there() -> None:
    with Stage(app) as stage:
        stage.stand_in("shipping/ship", returns={"parcel": 1})
        assert stage.run(sell, Order()).results["ship"] == {"parcel": 1}
        assert stage.calls[-1].app == "shipping"
        assert stage.calls[-1].input == {"item": "lamp", "cents": 500}


def test_a_stand_in_can_fail_and_be_undone() -> None:
    with Stage(app) as stage:
        stage.stand_in("shipping/ship", lambda order, ctx: ctx.attempt)
        stage.fail("shipping/ship", ConnectionResetError("hung up"), times=1)
        order = stage.start(sell, Order())
        assert order.outcome().results["ship"] == 2
        stage.hang("shipping/ship", for_="1h")
        order = stage.start(sell, Order())
        stage.advance("1s")
        order.cancel()
        assert order.outcome().status == "cancelled"
        assert stage.calls.names[-2:] == ["undo-ship", "put_back"]


def test_two_stand_ins_are_of_one_app() -> None:
    with Stage(app) as stage:
        stage.stand_in("shipping/ship", returns=1)
        stage.stand_in("shipping/weigh", returns=2)
        assert stage.run(sell, Order()).status == "completed"
        assert stage.run("shipping/weigh").value == 2
        with pytest.raises(ValueError, match="names no other app"):
            stage.stand_in("weigh", returns=3)


def test_an_app_is_on_the_stage_once() -> None:
    with pytest.raises(ValueError, match="on the stage already"), Stage(app, app):
        pass


def test_a_plain_handler_sees_no_loop_as_in_its_thread() -> None:
    app, left = App("plain"), ContextVar("left", default="")

    async def inner() -> str:
        return "from a loop of its own"

    @app.operation
    def call(ctx: Context) -> str:
        left.set("behind")
        return asyncio.run(inner())

    with Stage(app) as stage:
        assert stage.run(call).value == "from a loop of its own"
        stage.replace(call, lambda ctx: left.get())
        assert stage.run(call).value == ""


def test_a_handler_that_wants_the_network_ends_the_test_with_a_hint() -> None:
    async def fetch() -> None:
        try:
            await asyncio.open_connection("localhost", 80)
        except Exception as error:
            raise Terminal("the handler makes something else of it") from error

    with Stage(app) as stage:
        stage.replace(mail, fetch)
        with pytest.raises(
            NoNetwork, match=r"^mail \(place-order, attempt 1\) wants the network"
        ) as e:
            stage.run(place_order, Order())
        assert "stage.replace(step, fake)" in str(e.value)


def test_a_coroutine_that_wants_a_process_is_told_too() -> None:
    with Stage(app) as stage, pytest.raises(NoNetwork, match=r"^this coroutine wants"):
        stage.drive(asyncio.create_subprocess_exec("true"))


def test_a_thread_that_calls_back_ends_the_test_with_a_hint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sagalog.streams.testing.leaps.GRACE", 5)

    async def wait_for_thread() -> None:
        loop, go = asyncio.get_running_loop(), Event()
        future = loop.create_future()

        def answer() -> None:
            go.wait(1)
            loop.call_soon_threadsafe(future.set_result, None)

        Thread(target=answer).start()
        loop.call_soon(go.set)  # it answers when there is nothing else to do
        await future

    with Stage(app) as stage:
        stage.replace(charge, wait_for_thread)
        with pytest.raises(NoThreads, match="replace the handler") as raised:
            stage.run(place_order, Order())
        assert raised.value.__notes__ == ["Under way: charge (place-order, attempt 1)"]
        assert stage.elapsed.total_seconds() == 0


def test_what_is_given_to_a_thread_runs_in_place() -> None:
    async def compute() -> None:
        assert await asyncio.to_thread(divmod, 7, 2) == (3, 1)

    with Stage(app) as stage:
        stage.replace(mail, compute)
        assert stage.run(place_order, Order()).status == "completed"


def test_within_a_handler_the_stage_does_not_run() -> None:
    with Stage(app) as stage:
        stage.replace(inspect, lambda: stage.advance(1))
        outcome = stage.run(inspect)
        assert outcome.error is not None
        assert "the stage is in the middle of a call" in outcome.error.message


def test_time_does_not_pass_while_a_handler_works() -> None:
    with Stage(app) as stage:
        stage.replace(mail, lambda: time.sleep(0.01))
        stage.run(place_order, Order())
        assert stage.elapsed.total_seconds() == 0
