"""Upcasting: old versions of a type are read as today's, one step after the other."""

from typing import Any

import pytest

from sagalog.schemas import Envelope, Poison, decode
from sagalog.schemas.facts import StepCompleted
from sagalog.schemas.upcasting import UPCASTERS, Upcaster, upcast

OLDEST = "sagalog.step.completed.v-1"
OLD = "sagalog.step.completed.v0"
TODAY = "sagalog.step.completed.v1"


def renamed(data: Any) -> Any:
    return {"run": data["run"], "task": data["name"]}


def counted(data: Any) -> Any:
    return {"run": data["run"], "step": data["task"], "attempt": 1, "result": "upcast"}


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, Upcaster]]:
    monkeypatch.setitem(UPCASTERS, OLDEST, (OLD, renamed))
    monkeypatch.setitem(UPCASTERS, OLD, (TODAY, counted))
    return UPCASTERS


def wire(type_: str, data: str) -> bytes:
    return f'{{"type":"{type_}","subject":"i","data":{data}}}'.encode()


@pytest.mark.parametrize(
    ("type_", "data"), [(OLDEST, '{"run":"r","name":"a"}'), (OLD, '{"run":"r","task":"a"}')]
)
@pytest.mark.usefixtures("versions")
def test_an_old_version_is_read_as_today_s(type_: str, data: str) -> None:
    message = decode(wire(type_, data))
    assert isinstance(message, Envelope)
    assert message.type == TODAY
    assert message.data == StepCompleted("r", "a", 1, "upcast")


@pytest.mark.usefixtures("versions")
def test_today_s_version_is_left_alone() -> None:
    assert upcast(TODAY, {"run": "r"}) == (TODAY, {"run": "r"})


@pytest.mark.usefixtures("versions")
def test_an_old_version_that_comes_out_wrong_is_poison() -> None:
    message = decode(wire(OLD, '{"run":7,"task":"a"}'))
    assert isinstance(message, Poison)


@pytest.mark.usefixtures("versions")
@pytest.mark.parametrize("data", ["null", "[]", "{}", "7"])
def test_an_old_version_that_does_not_fit_its_upcaster_is_poison(data: str) -> None:
    message = decode(wire(OLD, data))
    assert isinstance(message, Poison)
