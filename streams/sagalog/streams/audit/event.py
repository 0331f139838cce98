"""One fact where it stands, as the checks see it, and its line of a timeline."""

from dataclasses import fields
from datetime import datetime
from typing import Any, NamedTuple

from sagalog.schemas.codec import rfc3339
from sagalog.schemas.facts import Failure

_LEFT_OUT = frozenset({"run", "definition", "input", "result", "error", "low", "reply_to"})
_LONGEST = 120


class Event(NamedTuple):
    """A fact in log order. `at` is the log's stamp, `clock` the writer's own time (RFC 3339).

    `taken` is the offset of the last `Taken` before it, `owner` who wrote that; `source`
    is who wrote this one. `held` are the operations that have been held here.
    """

    topic: str
    partition: int
    offset: int
    at: int
    id: str
    source: str
    clock: str
    taken: int
    owner: str
    fact: Any
    held: frozenset[str] = frozenset()

    @property
    def kind(self) -> str:
        """The fact's type."""
        return type(self.fact).__name__

    @property
    def late(self) -> bool:
        """Whether somebody else than the partition's owner wrote it."""
        return self.source != self.owner

    def written(self) -> int | None:
        """When it was written by its writer's clock (ms); None where that cannot be read."""
        try:
            moment = datetime.fromisoformat(self.clock)
        except ValueError:
            return None
        return round(moment.timestamp() * 1000)


class Moment(NamedTuple):
    """An event in an instance's timeline; `counted` is false where the fold ignored it."""

    event: Event
    counted: bool

    def __str__(self) -> str:
        event = self.event
        ignored = "" if self.counted else "  (ignored)"
        return f"{event.offset:>6}  {rfc3339(event.at)[11:-1]}  {said(event.fact)}{ignored}"


def said(fact: Any) -> str:
    """A fact in a line: its type and what tells it from others, without its payload."""
    words = [type(fact).__name__]
    for field in fields(fact):
        value = getattr(fact, field.name)
        if field.name == "error":
            words.append(_failure(value))
        elif field.name not in _LEFT_OUT and value != field.default and value not in (None, ""):
            words.append(f"{field.name}={value}")
    text = " ".join(words)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _failure(error: Failure) -> str:
    return f"{error.kind}: {error.type}"
