"""A saga given as data, in a file."""

import json
from dataclasses import fields
from typing import Any

import pytest

from sagalog.schemas.requests import StepData
from sagalog.streams.cli.saga_file import StepFile
from tests.streams.cli.shell import Said, Shell

STEPS: list[dict[str, Any]] = [
    {"operation": "reserve", "name": "hold", "compensation": "put_back"},
    {"operation": "charge", "parameters": {"sku": "ink"}, "max_retries": 4, "timeout": 5000},
    {"operation": "double", "parameters": 4, "after": []},
]


def start(shop: Shell, document: Any, *words: str) -> Said:
    file = shop.folder / "saga.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return shop.type("start", "shop", "--saga", "saga.json", *words)


def test_it_runs(shop: Shell) -> None:
    document = {"name": "by-hand", "input": {"sku": "pen"}, "steps": STEPS}
    told = start(shop, document, "--json")
    assert told.code == 0
    assert told.json["name"] == "by-hand"
    assert told.json["result"] == {
        "hold": {"shelf": "A3"},
        "charge": {"receipt": "r-1"},
        "double": 8,
    }
    charge = shop.type("show", told.json["id"], "--json").json["steps"][1]
    assert charge["after"] == ["hold"]


def test_the_input_of_the_command_line_stands_for_the_file_s(shop: Shell) -> None:
    document = {"name": "by-hand", "input": {"sku": "pen"}, "steps": STEPS[:1]}
    told = start(shop, document, "other-name", '{"sku": "ink"}', "--json")
    assert shop.type("show", told.json["id"], "--json").json["input"] == {"sku": "ink"}
    assert told.json["name"] == "other-name"


def test_it_turns_back_by_the_compensation_with_its_parameters(shop: Shell) -> None:
    gate = str(shop.folder / "never")
    steps = [
        {
            "operation": "reserve",
            "compensation_parameters": {"sku": "pen", "mode": "stuck", "gate": gate},
        },
        {"operation": "charge", "parameters": {"sku": "pen", "mode": "declined"}},
    ]
    told = start(shop, {"name": "by-hand", "input": {"sku": "pen"}, "steps": steps}, "--json")
    assert told.code == 1
    assert told.json["status"] == "stuck"
    assert told.json["remaining"] == ["reserve"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{]", "saga.json is not JSON: "),
        ([], "it must be an object, not list. A saga has: name, input, steps"),
        ({"steps": STEPS}, "name: is missing"),
        ({"name": "x"}, "steps: is missing"),
        ({"name": "x", "steps": []}, "steps: List should have at least 1 item"),
        ({"name": "x", "step": [], "steps": STEPS}, "step: unknown field. Did you mean 'steps'?"),
        (
            {"name": "x", "steps": [{"operaton": "reserve"}]},
            "steps[0].operation: is missing",
        ),
        (
            {"name": "x", "steps": [{"operation": "reserve", "compensate": "put_back"}]},
            "steps[0].compensate: unknown field. Did you mean 'compensation'?",
        ),
        (
            {"name": "x", "steps": [{"operation": "reserve", "max_retries": "three"}]},
            "steps[0].max_retries: Input should be a valid integer, not 'three'",
        ),
        (
            {"name": "x", "steps": [{"operation": "reserve", "timeout": -1}]},
            "steps[0].timeout: Input should be greater than or equal to 0, not -1",
        ),
        (
            {"name": "x", "steps": [{"operation": "reserve", "after": ["charge"]}]},
            "x.reserve: is after 'charge', which is no step of the saga",
        ),
        (
            {"name": "x", "steps": [{"operation": "reserve"}, {"operation": "reserve"}]},
            "x.reserve: two steps have this name",
        ),
    ],
)
def test_a_wrong_file_is_told_by_its_field(shop: Shell, document: Any, said: str) -> None:
    told = start(shop, document)
    assert told.code == 2
    assert said in told.err


def test_with_code_an_unknown_operation_is_told_before_it_is_sent(shop: Shell) -> None:
    file = shop.folder / "saga.json"
    file.write_text(json.dumps({"name": "x", "steps": [{"operation": "chage"}]}))
    told = shop.type("start", "shop:app", "--saga", "saga.json")
    assert told.code == 2
    assert "x.steps[0].operation: shop has no operation 'chage'" in told.err


def test_the_file_has_the_fields_of_the_wire() -> None:
    assert set(StepFile.model_fields) == {field.name for field in fields(StepData)}
