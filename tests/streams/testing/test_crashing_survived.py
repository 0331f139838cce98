"""`crash_everywhere`: whatever a pod does, it may die of it, and the end is the same."""

import asyncio
from unittest import TestCase

import pytest

from sagalog.engine import Terminal
from sagalog.schemas.requests import StepData
from sagalog.streams import Conflict
from sagalog.streams.testing import Stage, crash_everywhere
from tests.streams.testing.shop import (
    Order,
    a_completed_order,
    anew,
    app,
    both,
    charge,
    check,
    inspect,
    mail,
    outside,
    place_order,
    put_back,
    scan,
    sell,
    shipping,
)


@crash_everywhere
def test_a_saga_completes() -> None:
    a_completed_order()


@crash_everywhere
def test_a_saga_turns_back() -> None:
    anew()
    with Stage(app) as stage:
        stage.fail(mail, Terminal("no address"))
        assert stage.run(place_order, Order()).status == "compensated"
        assert [letter.step for letter in stage.dead_letters] == ["mail"]
    assert outside.charged == {}
    assert outside.reserved == set()


@crash_everywhere
def test_a_step_is_tried_again() -> None:
    anew()
    with Stage(app) as stage:
        stage.fail(charge, times=2, after_effect=True)
        assert stage.run(place_order, Order()).status == "completed"
    assert len(outside.charged) == 1


@crash_everywhere
def test_a_step_times_out() -> None:
    anew()
    with Stage(app) as stage:
        stage.hang(charge, after_effect=True)
        assert stage.run(place_order, Order()).status == "compensated"
    assert outside.charged == {}


@crash_everywhere
def test_a_saga_is_cancelled() -> None:
    anew()
    with Stage(app) as stage:
        stage.hang(charge, for_="5s")
        order = stage.start(place_order, Order())
        stage.advance(1)
        order.cancel()
        assert order.outcome().status == "cancelled"
    assert outside.charged == {}


@crash_everywhere
def test_a_deadline_passes() -> None:
    anew()
    with Stage(app) as stage:
        stage.hang(mail, for_="2d")
        assert stage.run(place_order, Order(), deadline="1d").status == "compensated"
    assert outside.charged == {}


@crash_everywhere
def test_a_stuck_saga_is_released() -> None:
    anew()
    with Stage(app) as stage:
        stage.fail(inspect, times=1)
        order = stage.start(check, Order())
        assert order.outcome().status == "stuck"
        order.release("inspect")
        assert order.outcome().status == "completed"


@crash_everywhere
def test_a_stuck_undo_is_skipped() -> None:
    anew()
    with Stage(app) as stage:
        stage.fail(charge, Terminal("declined"))
        stage.fail(put_back, Terminal("locked"))
        order = stage.start(place_order, Order())
        assert order.outcome().remaining == ("reserve",)
        order.release("reserve", "skip")
        assert order.outcome().status == "compensated"


@crash_everywhere
def test_a_step_runs_in_another_app() -> None:
    anew()
    with Stage(app, shipping) as stage:
        stage.fail("ship", times=1, after_effect=True)
        assert stage.run(sell, Order()).results["ship"] == "parcel with a lamp"
    assert len(outside.shipped) == 1


@crash_everywhere
def test_a_step_in_another_app_is_undone() -> None:
    anew()
    with Stage(app, shipping) as stage:
        stage.hang("ship", for_="1m", after_effect=True)
        order = stage.start(sell, Order())
        stage.advance(1)
        order.cancel()
        assert order.outcome().status == "cancelled"
    assert outside.shipped == set()
    assert outside.reserved == set()


@crash_everywhere
def test_two_branches_turn_back() -> None:
    anew()
    with Stage(app) as stage:
        stage.hang("reserve", for_=1)
        stage.hang("charge", for_=2, after_effect=True)
        stage.fail(mail, Terminal("no address"))
        assert stage.run(both, Order()).status == "compensated"
    assert outside.charged == {}
    assert outside.reserved == set()


@crash_everywhere
def test_a_step_is_spread() -> None:
    anew()
    with Stage(app, partitions=4) as stage:
        assert stage.run(scan, Order()).status == "completed"
    assert len(outside.charged) == 1


@crash_everywhere
def test_a_stand_in_plays() -> None:
    with Stage(app) as stage:
        stage.stand_in("shipping/ship", returns=1)
        stage.fail("shipping/ship", Terminal("no carrier"))
        assert stage.run(sell, Order()).status == "compensated"


@crash_everywhere
def test_a_saga_is_given_as_data() -> None:
    anew()
    with Stage(app) as stage:
        steps = [StepData("reserve", compensation="put_back"), StepData("mail", name="tell")]
        assert stage.run("gift", Order(), steps=steps).status == "completed"


@crash_everywhere
def test_a_key_is_in_conflict() -> None:
    anew()
    with Stage(app) as stage:
        stage.run(place_order, Order(), key="order-1")
        with pytest.raises(Conflict):
            stage.run(place_order, Order(item="piano"), key="order-1")


@crash_everywhere
def test_a_key_has_two_lives() -> None:
    anew()
    with Stage(app) as stage:
        stage.run(place_order, Order(), key="order-1")
        stage.advance("25h")
        stage.run(place_order, Order(), key="another")
        stage.advance("1m")
        assert stage.run(place_order, Order(item="piano"), key="order-1").status == "completed"
        assert len(outside.charged) == 3


@crash_everywhere
def test_what_is_needed_is_away_for_a_while() -> None:
    anew()
    with Stage(app) as stage:
        stage.unavailable(charge, for_="3m")
        assert stage.run(place_order, Order()).status == "completed"


@crash_everywhere
def test_some_sagas_at_once() -> None:
    anew()
    with Stage(app) as stage:
        stage.hang(charge, for_=1)
        stage.fail(mail, Terminal("no address"), when=lambda call: call.key == "2")
        orders = [stage.start(place_order, Order(), key=f"{n}") for n in range(3)]
        statuses = [order.outcome().status for order in orders]
        assert statuses == ["completed", "completed", "compensated"]
    assert len(outside.charged) == 2


@crash_everywhere
def test_the_test_kills_too() -> None:
    anew()
    with Stage(app) as stage:
        stage.hang(mail, for_=5)
        order = stage.start(place_order, Order())
        stage.kill()
        stage.recover()
        assert order.outcome().status == "completed"


@crash_everywhere
async def test_an_async_test() -> None:
    a_completed_order()
    await asyncio.sleep(0)


@crash_everywhere()
def test_fixtures_are_handed_on(request: pytest.FixtureRequest) -> None:
    assert request.node.name == "test_fixtures_are_handed_on"
    a_completed_order()


class TestOrders(TestCase):
    @crash_everywhere
    def test_a_method(self) -> None:
        a_completed_order()
