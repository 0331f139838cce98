"""The fingerprint tells a repeat from a conflict, in this version and in every later one."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson
import pytest

from sagalog.schemas.requests import StepData
from sagalog.streams.composer import fingerprint


@dataclass(frozen=True, slots=True)
class LaterStepData(StepData):
    """A step as a later version may know it."""

    weight: int = 1


def of(said: Any) -> str:
    return blake2b(orjson.dumps(said), digest_size=12).hexdigest()


def test_it_is_a_digest_of_what_was_said() -> None:
    assert fingerprint("order", {"b": 1, "a": None}, None) == of(
        ["order", {"a": None, "b": 1}, None]
    )


def test_of_a_step_it_is_what_is_not_as_usual() -> None:
    step = StepData("charge", parameters=[1], max_retries=0, after=())
    said = {"after": [], "max_retries": 0, "operation": "charge", "parameters": [1]}
    assert fingerprint("order", 7, [step]) == of(["order", 7, [said]])


def test_a_field_that_a_later_version_adds_makes_no_conflict_of_a_repeat() -> None:
    first, repeat = [StepData("charge")], [LaterStepData("charge")]
    assert fingerprint("order", 7, first) == fingerprint("order", 7, repeat)


@pytest.mark.parametrize("other", [StepData("ship"), StepData("charge", spread=True)])
def test_another_step_does(other: StepData) -> None:
    assert fingerprint("order", 7, [other]) != fingerprint("order", 7, [StepData("charge")])
