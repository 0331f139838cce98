"""Payloads: inputs and results as every reader of the log will have them."""

import json
from collections.abc import Callable
from typing import Any

import orjson
from pydantic_core import PydanticSerializationError, to_jsonable_python

from sagalog.schemas.definition import Json
from sagalog.schemas.depth import DEEPEST_PAYLOAD, too_deep


def written(plain: Json) -> bytes:
    """Plain data as JSON. Raises ValueError or TypeError for what would come back changed.

    That is NaN and the infinities, integers beyond 64 bits, text that is no Unicode, and
    what nests too deep to be kept.
    """
    value = orjson.dumps(plain)
    if b"null" in value:  # orjson writes NaN so, and the standard library can refuse it
        json.dumps(plain, allow_nan=False)
    if too_deep(value, DEEPEST_PAYLOAD):
        raise ValueError(f"nested deeper than {DEEPEST_PAYLOAD} levels")
    return value


def kept(value: Any, default: Callable[[Any], Any] = tuple) -> bytes:
    """JSON to keep: what orjson returns holds the room of the buffer that it wrote to."""
    return bytes(memoryview(orjson.dumps(value, default=default)))


def jsonable(value: Any) -> bytes:
    """Anything that pydantic can write, as JSON. Raises ValueError with the reason."""
    try:
        return written(to_jsonable_python(value, inf_nan_mode="constants"))
    except (PydanticSerializationError, TypeError, ValueError) as error:
        raise ValueError(f"it cannot be written as JSON: {error}") from error


def copied(payload: Json) -> Json:
    """A payload that its receiver may change without changing the folded state."""
    return orjson.loads(orjson.dumps(payload)) if isinstance(payload, dict | list) else payload
