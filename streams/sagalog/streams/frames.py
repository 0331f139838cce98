"""What a pod and its processes say to each other: JSON, with its length before it."""

from dataclasses import fields
from typing import Any

import orjson

from sagalog.engine import Context
from sagalog.engine.results import Result, Returned
from sagalog.schemas.facts import Failure

HEAD = 4
"""Bytes that hold the length of a frame."""

CROSSING = tuple(field.name for field in fields(Context) if field.name != "reporter")
"""What of a context crosses over. What has no JSON (a way back to the pod) is to be left out."""


def frame(message: dict[str, Any]) -> bytes:
    """A message with its length. Raises TypeError for what JSON cannot hold."""
    body = orjson.dumps(message, default=tuple)
    return len(body).to_bytes(HEAD, "big") + body


def told(context: Context) -> dict[str, Any]:
    """A context as a message."""
    return {name: getattr(context, name) for name in CROSSING}


def context_of(message: dict[str, Any]) -> Context:
    """The context of a message."""
    return Context(**message)


def answer(result: Result) -> dict[str, Any]:
    """A result as a message."""
    return {"value": result.value} if isinstance(result, Returned) else {"error": result}


def result_of(message: dict[str, Any]) -> Result:
    """The result of a message."""
    if "error" in message:
        return Failure(**message["error"])
    return Returned(message["value"])
