"""Bytes to messages and back. What cannot be decoded is a value, never an exception."""

from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast

import orjson
from pydantic import ValidationError

from sagalog.schemas.catalogue import NAMES, PREFIX, VALIDATORS
from sagalog.schemas.definition import compact, strangers
from sagalog.schemas.depth import DEEPEST, too_deep
from sagalog.schemas.envelope import Decoded, Envelope, Poison, Unknown
from sagalog.schemas.facts import Fact, Started
from sagalog.schemas.ids import fact_id
from sagalog.schemas.upcasting import upcast

_STARTED_FIELDS = [field.name for field in fields(Started)]


@lru_cache(maxsize=64)
def rfc3339(milliseconds: int) -> str:
    """Milliseconds since the epoch as CloudEvents writes a time, in UTC."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"


def encode(
    data: Any,
    *,
    id: str,
    source: str,
    subject: str,
    now: int,
    tenant: str = "",
    traceparent: str | None = None,
) -> bytes:
    """A message as JSON; raises TypeError where `data` holds what JSON cannot say."""
    message: dict[str, Any] = {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": NAMES[type(data)],
        "subject": subject,
        "time": rfc3339(now),
        "datacontenttype": "application/json",
    }
    if tenant:
        message["tenant"] = tenant
    if traceparent:
        message["traceparent"] = traceparent
    message["data"] = data if type(data) is not Started else _started(data)
    return orjson.dumps(message)


def _started(fact: Started) -> dict[str, Any]:
    """A first fact with its definition in compact form, which is encoded once for many."""
    said = {name: getattr(fact, name) for name in _STARTED_FIELDS}
    said["definition"] = orjson.Fragment(compact(fact.definition))
    return said


def encode_fact(
    fact: Fact,
    *,
    source: str,
    subject: str,
    now: int,
    tenant: str = "",
    traceparent: str | None = None,
) -> tuple[str, bytes]:
    """A fact's deterministic id, and the fact under it."""
    id_ = fact_id(subject, NAMES[type(fact)], fact)
    value = encode(
        fact,
        id=id_,
        source=source,
        subject=subject,
        now=now,
        tenant=tenant,
        traceparent=traceparent,
    )
    return id_, value


def decode(value: bytes | None) -> Decoded:
    """A message, or Unknown (another version may read it), or Poison (nobody can)."""
    if value is None:
        return Poison("the record has no value")
    try:
        if too_deep(value):
            return Poison(f"nested deeper than {DEEPEST} levels")
        message = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        return Poison(f"not JSON: {error}")
    if not isinstance(message, dict):
        return Poison("not a CloudEvents object")
    return _read(cast("dict[str, Any]", message))


def _read(message: dict[str, Any]) -> Decoded:
    type_, subject = message.get("type"), message.get("subject")
    if not isinstance(type_, str) or not isinstance(subject, str):
        return Poison("not a CloudEvents message: `type` and `subject` must be strings")
    if not type_.startswith(PREFIX):
        return Poison(f"a foreign message of type {type_!r}")
    try:
        type_, data = upcast(type_, message.get("data"))
    except Exception as error:  # noqa: BLE001 (old data that no upcaster expected)
        return Poison(f"invalid {type_}: it cannot be brought up to date: {error!r}")
    validate = VALIDATORS.get(type_)
    if validate is None:
        return Unknown(type_, subject)
    try:
        read = Envelope(
            str(message.get("id", "")),
            str(message.get("source", "")),
            type_,
            subject,
            str(message.get("time", "")),
            validate(data),
            str(message.get("tenant", "")),
            message.get("traceparent"),
        )
    except ValidationError as error:
        return Poison(f"invalid {type_}: {_first(error)}")
    if type(read.data) is Started and strangers(data["definition"]):
        return Unknown(type_, subject)
    return read


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "data"
    return f"{place}: {first['msg']}"
