"""Tests of orders.py, to be copied: pytest examples/testing

No broker, no file, no waiting: the real engine on a log in memory, in made-up time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import orders
import pytest
from orders import Order, Shelves, app, charge, place_order, refund

from sagalog.engine import Terminal
from sagalog.streams.testing import Stage, crash_everywhere

LAMP = Order(item="lamp", cents=500)


@dataclass
class Bank:
    """A bank that keeps its promise: the same key, the same payment."""

    paid: dict[str, int] = field(default_factory=dict[str, int])

    def pay(self, key: str, cents: int) -> str:
        if cents > 1000:
            raise ValueError("card declined")
        self.paid[key] = cents
        return f"receipt for {cents}"

    def pay_back(self, key: str) -> None:
        self.paid.pop(key, None)


def new_world() -> Bank:
    """What the handlers touch, as it is before a test."""
    orders.bank = bank = Bank()
    orders.shelves = Shelves(lamp=1, yacht=1)
    return bank


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A stage on which shipping works. We have not that team's app, so a stand-in plays it."""
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
    outcome = stage.run(place_order, Order(item="yacht", cents=5_000_000))
    assert outcome.status == "compensated"
    assert stage.calls.names == ["reserve", "charge", "put_back"]
    assert orders.shelves.stock == {"lamp": 1, "yacht": 1}


def test_a_bank_that_hangs_up_is_asked_again_under_the_same_key(stage: Stage) -> None:
    stage.fail(charge, ConnectionResetError("hung up"), times=2)
    assert stage.run(place_order, LAMP).status == "completed"
    calls = stage.calls.of(charge)
    assert [call.attempt for call in calls] == [1, 2, 3]
    assert len({call.idempotency_key for call in calls}) == 1


def test_after_thirty_days_the_customer_has_his_money_back(stage: Stage) -> None:
    stage.hang("ship", for_="40d")
    outcome = stage.run(place_order, LAMP)
    assert outcome.status == "compensated"
    assert timedelta(days=30) <= stage.elapsed


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
    bank = new_world()
    with Stage(app) as stage:
        stage.stand_in("shipping/ship", returns="parcel 17")
        assert stage.run(place_order, LAMP, key="order-1").status == "completed"
        assert list(bank.paid.values()) == [500], "paid once, whatever died"
        assert orders.shelves.stock["lamp"] == 0


@crash_everywhere
def test_an_order_that_turns_back_survives_a_crash_anywhere() -> None:
    bank = new_world()
    with Stage(app) as stage:
        stage.stand_in("shipping/ship", returns="parcel 17")
        stage.fail("ship", times=10)
        assert stage.run(place_order, LAMP).status == "compensated"
        assert bank.paid == {}
        assert orders.shelves.stock["lamp"] == 1
