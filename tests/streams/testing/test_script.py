"""What goes wrong on the stage, by the name of an operation or a step."""

from datetime import timedelta

import pytest

from sagalog.engine import App, Operation, Retry, Terminal, Unavailable
from sagalog.streams.testing import Call, Stage
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
    put_back,
    refund,
    sell,
    shipping,
)


@pytest.mark.parametrize("what", [charge, "charge", "orders/charge"])
def test_a_step_fails_by_the_operation_or_by_its_name(what: Operation[..., object] | str) -> None:
    with Stage(app) as stage:
        stage.fail(what, Terminal("declined"))
        assert stage.run(place_order, Order()).status == "compensated"


def test_a_class_of_error_will_do_and_so_will_none() -> None:
    with Stage(app) as stage:
        stage.fail(charge, Terminal)
        stage.fail(mail)
        outcome = stage.run(place_order, Order())
        assert outcome.error is not None
        assert outcome.error.type == "Terminal"
        stage.mend(charge)
        outcome = stage.run(place_order, Order())
        assert outcome.error is not None
        assert outcome.error.message == "made to fail by the test"


def test_the_first_calls_fail() -> None:
    with Stage(app) as stage:
        stage.fail(charge, ConnectionResetError("hung up"), times=2)
        assert stage.run(place_order, Order()).status == "completed"
        assert [call.attempt for call in stage.calls.of(charge)] == [1, 2, 3]
        assert [call.ended for call in stage.calls.of(charge)] == ["raised", "raised", "returned"]
        assert stage.elapsed == timedelta(seconds=3)


def test_one_attempt_fails() -> None:
    with Stage(app) as stage:
        stage.fail(charge, times=1)
        stage.fail(charge, Terminal("at the second"), attempt=2)
        outcome = stage.run(place_order, Order())
        assert outcome.error is not None
        assert outcome.error.message == "at the second"


def test_calls_fail_for_one_instance_or_input() -> None:
    with Stage(app) as stage:
        stage.fail(charge, Terminal("too dear"), when=lambda call: call.input.cents > 1000)
        stage.fail(mail, Terminal("no address"), when=lambda call: call.key == "order-3")
        statuses = [
            stage.run(place_order, Order(), key="order-1").status,
            stage.run(place_order, Order(cents=5000), key="order-2").status,
            stage.run(place_order, Order(), key="order-3").status,
        ]
        assert statuses == ["completed", "compensated", "compensated"]


def test_a_call_fails_after_its_effect() -> None:
    anew()
    with Stage(app) as stage:
        stage.fail(charge, ConnectionResetError("hung up"), times=1, after_effect=True)
        stage.run(place_order, Order())
        assert len(outside.charged) == 1, "the second call came with the same key"
        assert len(stage.calls.of(charge)) == 2


def test_a_step_s_name_means_its_forward_handler() -> None:
    with Stage(app) as stage:
        stage.fail("reserve", Terminal("sold out"), times=1)
        assert stage.run(place_order, Order()).status == "compensated"
        stage.fail("charge", Terminal("declined"))
        assert stage.run(place_order, Order()).status == "compensated"
        assert stage.calls.names == ["reserve", "reserve", "charge", "put_back"]


def test_an_undo_that_fails_for_good_leaves_the_saga_stuck_until_it_is_released() -> None:
    with Stage(app) as stage:
        stage.fail(charge, Terminal("declined"))
        stage.fail(put_back, Terminal("the shelf is locked"))
        order = stage.start(place_order, Order())
        assert order.outcome().remaining == ("reserve",)
        assert [letter.step for letter in stage.dead_letters] == ["charge", "reserve"]
        stage.mend(put_back)
        order.release("reserve")
        assert order.status == "compensated"


def test_a_hanging_call_runs_into_its_timeout_and_is_perhaps_done() -> None:
    anew()
    with Stage(app) as stage:
        stage.hang(charge)
        assert stage.run(place_order, Order()).status == "compensated"
        assert stage.elapsed == timedelta(seconds=10 + 1 + 10 + 2 + 10)
        assert stage.calls.names[-2:] == ["refund", "put_back"]
    assert outside.charged == {}


def test_a_hanging_call_may_have_had_its_effect() -> None:
    anew()
    with Stage(app) as stage:
        stage.hang(charge, times=1, after_effect=True)
        stage.replace(refund, lambda: None)
        assert stage.run(place_order, Order()).status == "completed"
    assert len(outside.charged) == 1


def test_a_slow_call_takes_its_time() -> None:
    with Stage(app) as stage:
        stage.hang(mail, for_="2h")
        assert stage.run(place_order, Order()).status == "completed"
        assert stage.elapsed == timedelta(hours=2)


def test_what_is_unavailable_for_a_while_uses_up_no_attempt() -> None:
    with Stage(app) as stage:
        stage.unavailable(inspect, for_="30m")
        assert stage.run(check, Order()).status == "completed"
        assert timedelta(minutes=30) <= stage.elapsed < timedelta(minutes=31)
        assert len(stage.calls.of(inspect)) > 20


def test_what_stays_unavailable_is_given_up_after_an_hour() -> None:
    with Stage(app) as stage:
        stage.unavailable(mail)
        order = stage.start(place_order, Order())
        outcome = order.outcome()
        assert outcome.status == "stuck"
        assert outcome.error is not None
        assert outcome.error.kind == "unavailable"
        assert timedelta(hours=1) <= stage.elapsed < timedelta(hours=1, minutes=2)
        stage.mend(mail)
        order.release("mail")
        assert order.outcome().status == "completed"


def test_a_child_fails_in_its_own_app() -> None:
    with Stage(app, shipping) as stage:
        stage.fail("shipping/ship", Terminal("no carrier"))
        assert stage.run(sell, Order()).status == "compensated"
        assert stage.calls.names == ["reserve", "ship", "put_back"]


def test_a_handler_s_own_unavailable_is_the_real_one() -> None:
    app = App("away")

    @app.operation(retry=Retry(give_up_after=10, longest=4, first=4))
    def look() -> None:
        raise Unavailable("the database is away")

    with Stage(app) as stage:
        assert stage.run(look).status == "dead"


def test_each_call_is_told_in_words() -> None:
    with Stage(app) as stage:
        stage.fail(charge, Terminal("declined"))
        stage.run(place_order, Order(), key="order-1")
        assert [str(call) for call in stage.calls] == [
            "reserve (place-order order-1, attempt 1)",
            "charge (place-order order-1, attempt 1)",
            "put_back as an undo (place-order order-1, step reserve, attempt 1)",
        ]
        assert isinstance(stage.calls[0], Call)
