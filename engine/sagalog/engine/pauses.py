"""What is held in a partition, by a person or a breaker: folded state, in a row of its own."""

from collections.abc import Mapping
from typing import NamedTuple

import orjson
from pydantic import TypeAdapter, ValidationError

from sagalog.engine.errors import Impossible
from sagalog.schemas.pauses import (
    PAUSES,
    BreakerClosed,
    BreakerOpened,
    Paused,
    PauseFact,
    Resumed,
)
from sagalog.schemas.record import Entry

PAUSES_KEY = PAUSES.encode()
"""The key of the row, and of the facts that it is folded from."""


class Pause(NamedTuple):
    """Held by a person, since the fact's stamp (ms)."""

    since: int
    reason: str = ""
    by: str = ""


class Held(NamedTuple):
    """How one operation is held, or was. Times in ms; 0 where there is none.

    `until` is when a breaker lets a probe through, and 0 where it is closed; `number` is
    that of its last opening or closing by hand, `times` how often in a row it opened,
    `since` when it opened first. `lifted` is when the operation was last let go.
    Rows hold the fields by their places: new ones go last, with a default.
    """

    paused: Pause | None = None
    number: int = 0
    until: int = 0
    times: int = 0
    since: int = 0
    reason: str = ""
    lifted: int = 0

    @property
    def holds(self) -> bool:
        """Whether no call may begin."""
        return self.paused is not None or self.until > 0


class Pauses(NamedTuple):
    """All that is held, by the names of operations and lanes."""

    operations: Mapping[str, Held] = {}
    lanes: Mapping[str, Pause] = {}

    def of(self, operation: str) -> Held:
        """How one operation is held."""
        return self.operations.get(operation, NOT_HELD)

    def row(self) -> Entry:
        """The row of the table that holds it."""
        return Entry(PAUSES_KEY, orjson.dumps([self.operations, self.lanes], default=tuple))

    @classmethod
    def read(cls, rows: Mapping[bytes, bytes]) -> "Pauses":
        """What a checkpoint says. Raises Impossible where that cannot be read."""
        row = rows.get(PAUSES_KEY)
        try:
            return NOTHING_HELD if row is None else _PAUSES.validate_json(row)
        except ValidationError as error:
            raise Impossible(
                f"the row {PAUSES} of the table cannot be read ({error.error_count()} errors): "
                "a later version of sagalog wrote it, or somebody else. Only pods of that "
                "version can go on from it."
            ) from error


NOT_HELD = Held()
NOTHING_HELD = Pauses()
_PAUSES = TypeAdapter(Pauses)


def folded(pauses: Pauses, fact: PauseFact, time: int) -> Pauses:
    """The state after a fact stamped `time` (ms); the very same where the fact is ignored."""
    if isinstance(fact, Paused | Resumed) and fact.lane:
        return _lane_folded(pauses, fact, time)
    if not fact.operation:
        return pauses
    before = pauses.of(fact.operation)
    after = _after(before, fact, time)
    if after is before:
        return pauses
    if before.holds and not after.holds:
        after = after._replace(lifted=time)
    return pauses._replace(operations={**pauses.operations, fact.operation: after})


def _lane_folded(pauses: Pauses, fact: Paused | Resumed, time: int) -> Pauses:
    if isinstance(fact, Paused):
        return pauses._replace(lanes={**pauses.lanes, fact.lane: _pause(fact, time)})
    if fact.lane not in pauses.lanes:
        return pauses
    others = {name: pause for name, pause in pauses.lanes.items() if name != fact.lane}
    return pauses._replace(lanes=others)


def _pause(fact: Paused, time: int) -> Pause:
    return Pause(time, fact.reason, fact.by)


def _after(held: Held, fact: PauseFact, time: int) -> Held:
    match fact:
        case Paused():
            return held._replace(paused=_pause(fact, time))
        case Resumed():
            # It takes a number too: what a probe finds out from now on is about the past.
            return Held(number=held.number + 1, lifted=held.lifted)
        case BreakerOpened() if fact.number == held.number + 1:
            return held._replace(
                number=fact.number,
                until=max(1, fact.until),
                times=held.times + 1,
                since=held.since or time,
                reason=fact.reason,
            )
        case BreakerClosed() if fact.number == held.number and held.until:
            return held._replace(until=0, times=0, since=0, reason="")
        case _:
            return held
