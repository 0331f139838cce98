"""What a handler returns is checked against its type, and against what JSON can hold."""

import threading
from typing import Any, cast

import pytest
from pydantic import BaseModel

from sagalog.engine import App
from tests.streams.test_executor import Desk, app, desk

__all__ = ["app", "desk"]


class Parcel(BaseModel):
    weight: int


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("heavy", "weight: Field required"),
        ({"weight": "much"}, "weight: Input should be a valid integer"),
        (None, "Input should be a valid dictionary"),
    ],
)
async def test_a_result_of_the_wrong_type_is_invalid(
    app: App, desk: Desk, result: Any, said: str
) -> None:
    @app.operation
    async def pack(_: None) -> Parcel:
        found: Any = result if result != "heavy" else {}
        return cast("Parcel", found)

    error = await desk.fail("pack")
    assert (error.kind, error.type) == ("invalid", "InvalidResult")
    assert said in error.message


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "result",
    [
        pytest.param(object(), id="an object"),
        pytest.param("\udcff", id="no UTF-8"),
        pytest.param(2**70, id="an integer over 64 bits"),
        pytest.param(nested(300), id="too deep"),
        pytest.param(threading.Lock(), id="a lock"),
    ],
)
async def test_a_result_that_json_cannot_hold_is_invalid(
    app: App, desk: Desk, result: object
) -> None:
    @app.operation
    async def careless(_: None) -> object:
        return result

    error = await desk.fail("careless")
    assert (error.kind, error.type) == ("invalid", "InvalidResult")
    assert "careless returned" in error.message


async def test_an_input_of_the_wrong_type_is_terminal(app: App, desk: Desk) -> None:
    @app.operation
    async def weigh(parcel: Parcel) -> int:
        return parcel.weight

    error = await desk.fail("weigh", {"weight": []})
    assert (error.kind, error.type) == ("terminal", "InvalidInput")
    assert "weight" in error.message
