"""A pod on the stage is killed as by SIGKILL, and another takes its place."""

import asyncio
import gc
from contextlib import suppress

import pytest

from sagalog.streams.pod import Pod
from sagalog.streams.testing import Stage, Stalled
from tests.streams.testing.shop import Order, app, mail, place_order, sell, shipping


def test_what_was_killed_goes_on_where_the_log_stands() -> None:
    with Stage(app) as stage:
        stage.hang(mail, times=1)
        order = stage.start(place_order, Order())
        stage.advance(1)
        stage.kill()
        assert order.status == "running"
        assert stage.calls[-1].ended == "killed"
        stage.advance("1h")
        assert order.status == "running"
        stage.mend(mail)
        stage.recover()
        assert order.outcome().status == "completed"
        assert stage.calls.names == ["reserve", "charge", "mail"]
        assert len(stage.calls) == 4
        assert "new owner" in stage.timeline(order)


def test_a_request_waits_in_the_log_for_a_pod() -> None:
    with Stage(app) as stage:
        stage.kill()
        order = stage.start(place_order, Order())
        assert order.status == "unknown"
        with pytest.raises(Stalled, match=r"the pod of orders is dead: stage.recover\(\)"):
            order.outcome()
        stage.recover()
        assert order.outcome().status == "completed"


def test_one_of_two_pods_is_killed() -> None:
    with Stage(app, shipping) as stage:
        stage.kill(shipping)
        order = stage.start(sell, Order())
        stage.advance("1m")
        assert (order.status, stage.calls.names) == ("running", ["reserve"])
        stage.kill(shipping)
        stage.recover(shipping)
        stage.recover("shipping")
        assert order.outcome().status == "completed"


def test_a_killed_handler_reaches_no_finally_while_the_test_looks() -> None:
    seen: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            seen.append("finally")

    with Stage(app) as stage:
        stage.replace(mail, wait)
        stage.start(place_order, Order())
        stage.advance(1)
        stage.kill()
    del stage
    gc.collect()
    assert seen == []


def test_a_handler_that_still_runs_at_the_end_is_cancelled_and_nothing_follows() -> None:
    seen: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(0)
            seen.append("finally")

    with Stage(app) as stage:
        stage.replace(mail, wait)
        order = stage.start(place_order, Order())
        stage.advance(1)
        facts = stage.facts(order)
    assert seen == ["finally"]
    assert stage.facts(order) == facts
    assert stage.calls.names == ["reserve", "charge", "mail"]


def test_a_handler_that_heeds_no_cancellation_is_left() -> None:
    async def stubborn() -> None:
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(10)

    with Stage(app) as stage:
        stage.replace(mail, stubborn)
        stage.start(place_order, Order())


def test_a_handler_may_kill_its_own_pod() -> None:
    with Stage(app) as stage:
        stage.replace(mail, lambda ctx: stage.kill())
        order = stage.start(place_order, Order())
        assert order.status == "running"
        stage.replace(mail, returns=None)
        stage.recover()
        assert order.outcome().status == "completed"


def test_a_pod_that_ends_by_itself_ends_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("planted")

    with Stage(app) as stage:
        monkeypatch.setattr(Pod, "_fold", broken)
        with pytest.raises(ZeroDivisionError, match="planted"):
            stage.run(place_order, Order())
