"""What failed for good, with everything needed to look at it and to put it back."""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Literal

from sagalog.schemas.definition import Json
from sagalog.schemas.facts import Failure
from sagalog.schemas.record import Entry, Record


@dataclass(frozen=True, slots=True)
class FailedStep:
    """A step, or the undo of a step, that failed for good.

    `remaining` lists the steps whose effects are not undone while the instance is stuck.
    """

    instance: str
    run: str
    name: str
    step: str
    phase: Literal["forward", "undo"]
    number: int
    attempts: int
    error: Failure
    input: Json
    status: str
    remaining: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PoisonRecord:
    """A record that could not be taken in. `key`, `value` and header values are base64."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: str | None
    value: str | None
    headers: tuple[tuple[str, str], ...]
    reason: str

    @classmethod
    def of(cls, record: Record, reason: str) -> "PoisonRecord":
        """The dead letter of a record, byte for byte."""
        return cls(
            record.topic,
            record.partition,
            record.offset,
            record.timestamp,
            _base64(record.key),
            _base64(record.value),
            tuple((name, b64encode(value).decode()) for name, value in record.headers),
            reason,
        )

    def entry(self) -> Entry:
        """The record as it was, to be appended where it came from."""
        return Entry(
            None if self.key is None else b64decode(self.key),
            None if self.value is None else b64decode(self.value),
            tuple((name, b64decode(value)) for name, value in self.headers),
        )


def _base64(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()


DeadLetter = FailedStep | PoisonRecord
