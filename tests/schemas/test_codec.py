"""The codec: every type there and back, CloudEvents 1.0, and no bytes that raise."""

import json
from typing import Any

import pytest

from sagalog.schemas import Envelope, Poison, Unknown, decode, encode
from sagalog.schemas.catalogue import NAMES, TYPES
from sagalog.schemas.codec import encode_fact, rfc3339
from sagalog.schemas.depth import DEEPEST
from sagalog.schemas.facts import Completed, Started, StepCompleted
from tests.schemas.specimens import ALL, FACTS, named


def wire(data: Any, **fields: Any) -> bytes:
    return encode(data, **{"id": "e1", "source": "s", "subject": "i", "now": 1_500, **fields})


def read(value: bytes | None) -> Envelope:
    message = decode(value)
    assert isinstance(message, Envelope), message
    return message


def event(**fields: Any) -> bytes:
    return json.dumps({"type": "sagalog.completed.v1", "subject": "i", **fields}).encode()


def test_there_is_a_specimen_of_every_type() -> None:
    assert {type(specimen) for specimen in ALL} == set(TYPES.values())


@pytest.mark.parametrize("specimen", ALL, ids=named)
def test_every_type_comes_back_as_it_was(specimen: Any) -> None:
    message = read(wire(specimen))
    assert message.data == specimen
    assert type(message.data) is type(specimen)
    assert message.type == NAMES[type(specimen)]
    assert wire(message.data) == wire(specimen)


@pytest.mark.parametrize("specimen", FACTS, ids=named)
def test_a_fact_lies_under_its_own_id(specimen: Any) -> None:
    id_, value = encode_fact(specimen, source="s", subject="i", now=0)
    assert read(value).id == id_


def test_the_envelope_is_a_cloudevent_in_structured_mode() -> None:
    said = json.loads(wire(Completed("r"), tenant="acme", traceparent="00-ab"))
    assert said == {
        "specversion": "1.0",
        "id": "e1",
        "source": "s",
        "type": "sagalog.completed.v1",
        "subject": "i",
        "time": "1970-01-01T00:00:01.500Z",
        "datacontenttype": "application/json",
        "tenant": "acme",
        "traceparent": "00-ab",
        "data": {"run": "r"},
    }


def test_attributes_without_a_value_are_left_out() -> None:
    assert not {"tenant", "traceparent"} & json.loads(wire(Completed("r"))).keys()


def test_the_envelope_comes_back_whole() -> None:
    assert read(wire(Completed("r"), tenant="acme", traceparent="00-ab")) == Envelope(
        "e1",
        "s",
        "sagalog.completed.v1",
        "i",
        "1970-01-01T00:00:01.500Z",
        Completed("r"),
        "acme",
        "00-ab",
    )


def test_fields_that_a_later_version_adds_are_passed_over() -> None:
    assert read(event(data={"run": "r", "novelty": 1}, novel="x")).data == Completed("r")


def test_fields_that_an_earlier_version_left_out_are_as_usual() -> None:
    value = event(type="sagalog.step.completed.v1", data={"run": "r", "step": "a", "attempt": 1})
    assert read(value).data == StepCompleted("r", "a", 1, None)


STARTED = next(specimen for specimen in FACTS if isinstance(specimen, Started))


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(lambda d: d, id="the definition"),
        pytest.param(lambda d: d["steps"][-1], id="a step"),
        pytest.param(lambda d: d["steps"][-1]["retry"], id="a policy"),
    ],
)
def test_what_a_later_version_adds_to_a_definition_is_not_passed_over(place: Any) -> None:
    """It is there only where it matters: the saga must not run without it."""
    said = json.loads(wire(STARTED))
    assert isinstance(decode(json.dumps(said).encode()), Envelope)
    place(said["data"]["definition"])["novelty"] = 1
    assert decode(json.dumps(said).encode()) == Unknown("sagalog.started.v1", "i")


POISON = {
    "nothing": None,
    "empty": b"",
    "no JSON": b"{",
    "no UTF-8": b'{"type":"\xff"}',
    "half a surrogate": b'{"type":"sagalog.completed.v1","subject":"\\ud800","data":{"run":"r"}}',
    "a list": b"[]",
    "a number": b"7",
    "no type": b'{"subject":"i"}',
    "no subject": b'{"type":"sagalog.completed.v1"}',
    "a type that is no string": b'{"type":7,"subject":"i"}',
    "a subject that is no string": b'{"type":"sagalog.completed.v1","subject":7}',
    "foreign": b'{"type":"com.acme.thing","subject":"i"}',
    "no data": b'{"type":"sagalog.completed.v1","subject":"i"}',
    "data that do not fit": b'{"type":"sagalog.completed.v1","subject":"i","data":{"run":7}}',
    "too deep": event(data={"run": "r", "x": None}).replace(
        b"null", b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1)
    ),
}


@pytest.mark.parametrize("value", POISON.values(), ids=POISON)
def test_poison_is_a_value_with_a_reason(value: bytes | None) -> None:
    message = decode(value)
    assert isinstance(message, Poison)
    assert message.reason


def test_poison_names_the_type_and_the_field() -> None:
    value = event(type="sagalog.step.completed.v1", data={"run": "r", "step": "a", "attempt": "x"})
    message = decode(value)
    assert isinstance(message, Poison)
    assert "sagalog.step.completed.v1" in message.reason
    assert "attempt" in message.reason


@pytest.mark.parametrize("type_", ["sagalog.completed.v2", "sagalog.novelty.v1"])
def test_a_type_or_version_of_ours_that_is_not_known_is_a_value_of_its_own(type_: str) -> None:
    assert decode(event(type=type_, data={})) == Unknown(type_, "i")


def test_what_json_cannot_say_is_refused_when_it_is_written() -> None:
    with pytest.raises(TypeError):
        wire(StepCompleted("r", "a", 1, object()))


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (999, "1970-01-01T00:00:00.999Z"),
        (1_764_000_000_007, "2025-11-24T16:00:00.007Z"),
    ],
)
def test_times_are_rfc_3339_in_utc(milliseconds: int, text: str) -> None:
    assert rfc3339(milliseconds) == text
