"""The CloudEvents 1.0 envelope that every record of ours wears (structured mode, JSON)."""

from dataclasses import dataclass
from typing import Any, NamedTuple


class Envelope(NamedTuple):
    """One message: `subject` is the instance's id, `data` one of the catalogue's types.

    `source` names the writer (`app/partition/owner` or a client), `time` is the writer's
    clock in RFC 3339, for people only: the fold goes by the log's timestamps.
    """

    id: str
    source: str
    type: str
    subject: str
    time: str
    data: Any
    tenant: str = ""
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Poison:
    """Bytes that no version of this code can read; `reason` is a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a type, or version, that this code does not know but another may."""

    type: str
    subject: str


Decoded = Envelope | Poison | Unknown
