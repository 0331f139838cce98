"""The context of a call: what a handler may ask about the other steps."""

from typing import Any

import pytest
from pydantic import BaseModel

from sagalog.engine import App, Context, DeclarationError, Operation

app = App("orders")


class Receipt(BaseModel):
    amount: int = 0


@app.operation
def charge(order: Any) -> Receipt: ...  # type: ignore[empty-body]


@app.operation
async def note(order: Any) -> str | None: ...


@app.operation
def other(order: Any) -> None: ...


def context(results: dict[str, Any], **operations: str) -> Context:
    steps = operations or {"charge": "charge", "note": "note"}
    return Context("i", "order", "ship", 1, "key", results=results, operations=steps)


def test_a_result_comes_back_as_the_operation_s_type() -> None:
    receipt = context({"charge": {"amount": 7}}).result(charge)
    assert receipt == Receipt(amount=7)


def test_an_async_operation_s_result_is_what_it_returns_in_the_end() -> None:
    assert context({"note": "x"}).result(note) == "x"


def test_by_name_a_result_is_plain_json() -> None:
    assert context({"charge": {"amount": 7}}).result("charge") == {"amount": 7}


@pytest.mark.parametrize("step", [charge, "charge"])
def test_a_result_that_is_not_known_is_none(step: Any) -> None:
    assert context({}).result(step) is None


def test_a_result_that_is_none_is_none() -> None:
    assert context({"note": None}).result(note) is None


def test_a_step_with_another_name_is_found_by_its_operation() -> None:
    assert context({"pay": {"amount": 7}}, pay="charge").result(charge) == Receipt(amount=7)


def test_of_two_steps_of_one_operation_each_is_found_by_its_name() -> None:
    asked = context({"a": {"amount": 1}, "b": {"amount": 2}}, a="charge", b="charge")
    assert [asked.result("a"), asked.result("b")] == [{"amount": 1}, {"amount": 2}]


@pytest.mark.parametrize("step", [other, "other"])
def test_a_step_that_the_saga_has_not_is_refused_with_those_it_has(
    step: Operation[..., Any] | str,
) -> None:
    with pytest.raises(DeclarationError) as caught:
        context({}).result(step)
    assert "other" in caught.value.field
    assert "charge, note" in caught.value.remedy


def test_a_skipped_step_has_no_result() -> None:
    assert context({"charge": None}).result(charge) is None


def test_a_handler_gets_results_of_its_own() -> None:
    stored = {"charge": {"items": [1]}}
    context(stored).result("charge")["items"].append(2)
    assert stored == {"charge": {"items": [1]}}
