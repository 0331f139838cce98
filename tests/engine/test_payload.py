"""Payloads: what is written comes back as it was, or is refused."""

import math
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from pydantic import BaseModel

from sagalog.engine.payload import copied, jsonable, kept, written
from sagalog.schemas.depth import DEEPEST_PAYLOAD


class Order(BaseModel):
    number: int
    at: datetime


def nested(levels: int) -> Any:
    payload: Any = []
    for _ in range(levels - 1):
        payload = [payload]
    return payload


FINE: list[Any] = [None, True, 0, -1, 2**63, 1.5, "é\n", [], {}, {"a": [None, {"b": "null"}]}]
BROKEN: list[Any] = [math.nan, math.inf, {"a": [math.nan]}, 2**64, "\ud800", {"\ud800": 1}]


@pytest.mark.parametrize("plain", [*FINE, nested(DEEPEST_PAYLOAD)], ids=lambda p: repr(p)[:20])
def test_plain_data_come_back_as_they_were(plain: Any) -> None:
    assert orjson.loads(written(plain)) == plain
    assert orjson.loads(jsonable(plain)) == plain


@pytest.mark.parametrize("plain", BROKEN, ids=ascii)
def test_what_would_come_back_changed_is_refused(plain: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        written(plain)
    with pytest.raises(ValueError, match=r"."):
        jsonable(plain)


def test_so_is_what_nests_too_deep_to_be_kept() -> None:
    with pytest.raises(ValueError, match="deeper"):
        written(nested(DEEPEST_PAYLOAD + 1))


def test_what_pydantic_knows_becomes_json() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    expected = {"number": 1, "at": "2026-01-02T00:00:00Z"}
    assert orjson.loads(jsonable(Order(number=1, at=at))) == expected
    assert orjson.loads(jsonable({"orders": (Order(number=1, at=at),)})) == {"orders": [expected]}


@pytest.mark.parametrize("value", [object(), {"a": object()}, b"\xff", lambda: None])
def test_what_pydantic_does_not_know_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="cannot be written as JSON"):
        jsonable(value)


def test_what_is_kept_is_json() -> None:
    assert kept({"a": (1, 2)}) == b'{"a":[1,2]}'


@pytest.mark.parametrize("payload", [{"a": [1]}, [{"a": 1}], "text", 7, None])
def test_a_copy_is_equal_and_shares_nothing_that_can_change(payload: Any) -> None:
    copy = copied(payload)
    assert copy == payload
    if isinstance(payload, dict | list):
        assert copy is not payload
        inner = copy["a"] if isinstance(copy, dict) else copy[0]
        inner.clear()
        assert payload in ({"a": [1]}, [{"a": 1}])
