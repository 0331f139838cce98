"""Tests of orders.py, to be copied: no broker, no file, no waiting.

python -m pytest examples/testing --import-mode=prepend
"""

from collections.abc import Iterator
from datetime import timedelta

import orders
import pytest
from orders import Bank, Order, Shelves, app, charge, place_order, refund

from sagalog.engine import Terminal
from sagalog.streams.testing import Stage, crash_everywhere

LAMP = Order(item="lamp", cents=500)
YACHT = Order(item="yacht", cents=5_000_000)


def new_world() -> None:
    """What the handlers touch, as it is before each test."""
    orders.bank = Bank()
    orders.shelves = Shelves(lamp=1, yacht=1)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A stage on which a stand-in plays the shipping team."""
    new_world()
    with Stage(app) as stage:
        stage.stand_in("shipping/ship", returns="parcel 17")
        yield stage


def test_an_order_is_placed(stage: Stage) -> None:
    outcome = stage.run(place_order, LAMP, key="order-1")
    assert outcome.status == "completed"
    assert outcome.result(charge) == "receipt for 500"
    assert outcome.results["ship"] == "parcel 17"
    assert stage.calls.names == ["reserve", "charge", "ship"]


def test_a_declined_card_puts_the_yacht_back(stage: Stage) -> None:
    outcome = stage.run(place_order, YACHT)
    assert outcome.status == "compensated"
    assert stage.calls.names == ["reserve", "charge", "put_back"]
    assert orders.shelves.stock == {"lamp": 1, "yacht": 1}


def test_a_bank_that_hangs_up_is_asked_again(stage: Stage) -> None:
    stage.fail(charge, ConnectionResetError("hung up"), times=2, after_effect=True)
    assert stage.run(place_order, LAMP).status == "completed"
    assert [call.attempt for call in stage.calls.of(charge)] == [1, 2, 3]
    assert list(orders.bank.paid.values()) == [500]


def test_after_thirty_days_a_customer_has_the_money_back(stage: Stage) -> None:
    stage.hang("ship", for_="40d")
    outcome = stage.run(place_order, LAMP)
    assert outcome.status == "compensated"
    assert stage.elapsed >= timedelta(days=30)
    assert orders.bank.paid == {}


def test_a_refund_that_fails_waits_for_a_person(stage: Stage) -> None:
    stage.fail("ship", Terminal("no such address"))
    stage.fail(refund, Terminal("account closed"))
    order = stage.start(place_order, LAMP)
    assert order.outcome().remaining == ("charge", "reserve")
    assert [letter.step for letter in stage.dead_letters] == ["ship", "charge"]
    order.release("charge", "skip")
    assert order.outcome().status == "compensated"


@crash_everywhere
def test_an_order_survives_a_crash_anywhere() -> None:
    new_world()
    with Stage(app) as stage:
        stage.stand_in("shipping/ship", returns="parcel 17")
        assert stage.run(place_order, LAMP, key="order-1").status == "completed"
    assert list(orders.bank.paid.values()) == [500]
    assert orders.shelves.stock["lamp"] == 0


@crash_everywhere
def test_turning_back_survives_a_crash_anywhere() -> None:
    new_world()
    with Stage(app) as stage:
        stage.stand_in("shipping/ship", returns="parcel 17")
        stage.fail("ship", Terminal("no such address"))
        assert stage.run(place_order, LAMP).status == "compensated"
    assert orders.bank.paid == {}
    assert orders.shelves.stock["lamp"] == 1
