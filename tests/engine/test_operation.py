"""Operations: what a handler may look like, what it is given, and what it may return."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel

from sagalog.engine import App, Context, DeclarationError, InvalidInput, InvalidResult, Operation

CONTEXT = Context("i", "order", "charge", 1, "key")


class Order(BaseModel):
    number: int
    note: str = ""


@dataclass
class Receipt:
    amount: float


class Colour(Enum):
    RED = "red"


def made(handler: Any) -> Operation[..., Any]:
    return App("orders").operation(handler)


class TestShape:
    def test_a_handler_takes_the_input_and_a_context(self) -> None:
        def charge(order: Order, ctx: Context) -> None: ...

        assert made(charge).arguments({"number": 1}, CONTEXT) == (Order(number=1), CONTEXT)

    def test_or_the_input_alone(self) -> None:
        def charge(order: Order) -> None: ...

        assert made(charge).arguments({"number": 1}, CONTEXT) == (Order(number=1),)

    def test_or_nothing(self) -> None:
        def charge() -> None: ...

        assert made(charge).arguments({"number": 1}, CONTEXT) == ()

    def test_an_input_without_a_type_is_plain_json(self) -> None:
        def charge(order, ctx):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            ...

        assert made(charge).arguments([1, {"a": None}], CONTEXT) == ([1, {"a": None}], CONTEXT)

    def test_it_may_be_async_or_plain(self) -> None:
        async def later(order: Order) -> None: ...

        def now(order: Order) -> None: ...

        assert (made(later).is_async, made(now).is_async) == (True, False)

    def test_calling_an_operation_calls_its_handler(self) -> None:
        def charge(order: Order) -> int:
            """Take the money."""
            return order.number + 1

        assert made(charge)(Order(number=1)) == 2
        assert made(charge).__doc__ == "Take the money."
        assert repr(made(charge)) == "<operation charge>"

    async def test_calling_an_async_operation_gives_what_to_await(self) -> None:
        async def charge(order: Order) -> int:
            return order.number + 1

        assert await made(charge)(Order(number=1)) == 2


def three(a: int, b: Context, c: int) -> None: ...
def keyword(a: int, *, b: int) -> None: ...
def keywords(a: int, **b: int) -> None: ...
def no_context(a: int, b: int) -> None: ...
def strange(a: "Unknown") -> None: ...  # type: ignore[name-defined]  # noqa: F821
def unschemable(a: "Opaque") -> None: ...
def strange_result(a: int) -> "Opaque": ...  # type: ignore[empty-body]


class Opaque:
    """A class that pydantic knows nothing of."""


@pytest.mark.parametrize(
    "handler",
    [three, keyword, keywords, no_context, strange, unschemable, strange_result],
    ids=lambda handler: handler.__name__,
)
def test_a_handler_of_another_shape_is_refused_when_declared(handler: Any) -> None:
    with pytest.raises(DeclarationError) as caught:
        made(handler)
    assert handler.__name__ in caught.value.field
    assert caught.value.reason
    assert caught.value.remedy


def test_a_handler_that_takes_a_context_alone_gets_it() -> None:
    def charge(ctx: Context) -> None: ...

    assert made(charge).arguments({"number": 1}, CONTEXT) == (CONTEXT,)


@pytest.mark.parametrize("payload", [None, {}, {"number": "x"}, [], 7, {"number": None}])
def test_an_input_that_does_not_fit_is_told_by_operation_and_field(payload: Any) -> None:
    def charge(order: Order) -> None: ...

    with pytest.raises(InvalidInput) as caught:
        made(charge).arguments(payload, CONTEXT)
    assert str(caught.value).startswith("charge: ")


def test_the_field_that_does_not_fit_is_named() -> None:
    def charge(order: Order) -> None: ...

    with pytest.raises(InvalidInput, match=r"number: .*got str"):
        made(charge).validate({"number": "x"})


@pytest.mark.parametrize(
    ("type_", "value", "json"),
    [
        (Order, Order(number=1), {"number": 1, "note": ""}),
        (Receipt, Receipt(1.5), {"amount": 1.5}),
        (Colour, Colour.RED, "red"),
        (datetime, datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00Z"),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (tuple[int, str], (1, "a"), [1, "a"]),
        (None, None, None),
        (int, 2**53, 2**53),
        (Any, {"a": [None, True]}, {"a": [None, True]}),
    ],
    ids=str,
)
def test_a_result_is_kept_as_json_and_comes_back_as_its_type(
    type_: Any, value: Any, json: Any
) -> None:
    def charge(order):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        ...

    charge.__annotations__["return"] = type_
    operation = made(charge)
    assert operation.dump(value) == json
    assert operation.load(json) == value


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (Order, None),
        (Order, {"number": "x"}),
        (None, 7),
        (int, "x"),
        (Any, object()),
        (Any, {1, object()}),
        (Any, b"\xff"),
        (int, 2**64),
        (Any, {"deep": 2**64}),
        (float, float("nan")),
        (float, float("inf")),
        (Receipt, Receipt(float("nan"))),
        (Any, {"deep": float("nan")}),
    ],
    ids=str,
)
def test_what_the_type_or_json_cannot_hold_is_no_result(type_: Any, value: Any) -> None:
    def charge(order):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        ...

    charge.__annotations__["return"] = type_
    with pytest.raises(InvalidResult, match="charge returned"):
        made(charge).dump(value)


def test_a_result_within_itself_is_no_result() -> None:
    def charge(order: Order) -> Any: ...

    knot: list[Any] = []
    knot.append(knot)
    with pytest.raises(InvalidResult):
        made(charge).dump(knot)
