"""Codec: every message of every type comes back equal; no bytes at all raise."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagalog.schemas import Envelope, Poison, Unknown, decode, encode
from sagalog.schemas.catalogue import TYPES
from sagalog.schemas.definition import Definition, compact, parse
from tests.properties.strategies import JSON, TEXT, definitions, messages


@pytest.mark.parametrize("name", TYPES)
def test_every_message_comes_back_as_it_was(name: str) -> None:
    @settings(max_examples=60)
    @given(messages(TYPES[name]), TEXT, TEXT, TEXT)
    def comes_back(message: Any, subject: str, tenant: str, traceparent: str) -> None:
        value = encode(
            message,
            id="e",
            source="s",
            subject=subject,
            now=0,
            tenant=tenant,
            traceparent=traceparent or None,
        )
        read = decode(value)
        assert isinstance(read, Envelope), read
        assert read.data == message
        assert (read.type, read.subject, read.tenant) == (name, subject, tenant)
        assert read.traceparent == (traceparent or None)

    comes_back()


@settings(max_examples=120)
@given(definitions())
def test_every_definition_comes_back_as_it_was(definition: Definition) -> None:
    again = parse(compact(definition))
    assert again == definition
    assert compact(again) == compact(definition)


@given(st.binary(max_size=60))
def test_no_bytes_raise(value: bytes) -> None:
    assert isinstance(decode(value), Poison | Unknown | Envelope)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from([*TYPES, "sagalog.x.v1", "other"]) | JSON,
            "subject": TEXT | JSON,
            "data": JSON | st.dictionaries(st.sampled_from(["run", "step", "name", "x"]), JSON),
            "id": JSON,
            "source": JSON,
            "tenant": JSON,
            "traceparent": JSON,
        },
    )
)
def test_no_json_raises(message: dict[str, Any]) -> None:
    assert isinstance(decode(orjson.dumps(message)), Poison | Unknown | Envelope)
