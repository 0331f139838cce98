"""How far a partition is folded, and what of it is no instance: kept in a row of its own."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from sagalog.engine.errors import Impossible
from sagalog.schemas.record import Entry

POSITION_KEY = b"~position"


class Mark(NamedTuple):
    """A place in `events`, and what the fold there depends on beside the instances.

    `offset` is the next fact to fold, `taken` the offset of the last `Taken` before it,
    `low` the low water of each lane (rule 5).
    """

    offset: int
    taken: int
    low: dict[str, int]


BEGINNING = Mark(0, -1, {})


class Position(NamedTuple):
    """How far a checkpoint goes.

    `mark` is how far the table is folded; `parked` where the first fact stands that this
    code could not read, so that code that can folds on from there (rule 14). `days` says
    how far the lanes were done, a day at a time.
    """

    mark: Mark = BEGINNING
    parked: Mark | None = None
    days: tuple[tuple[int, dict[str, int]], ...] = ()

    def row(self) -> Entry:
        """The row of the table that holds it; what is as usual at its end is left out."""
        said: list[Any] = list(self)
        while said[1:] and said[-1] == _USUAL[len(said) - 1]:
            said.pop()
        return Entry(POSITION_KEY, orjson.dumps(said, default=tuple))

    @classmethod
    def of(cls, rows: Mapping[bytes, bytes]) -> "Position":
        """The position of a checkpoint. Raises Impossible where it is missing or unreadable."""
        if POSITION_KEY not in rows:
            if rows:
                raise Impossible("the table has rows and no position: it was not written by us")
            return cls()
        try:
            said: list[Any] = orjson.loads(rows[POSITION_KEY])
            if len(said) > len(_USUAL) or len(said[0]) > len(BEGINNING):
                raise Impossible(
                    "the table's position was written by a later version of sagalog: "
                    "only pods of that version can go on from it."
                )
            mark, parked, days = [*said, *_USUAL[len(said) :]]
            sampled = tuple((int(time), dict(low)) for time, low in days)
            return cls(_mark(mark), _mark(parked) if parked else None, sampled)
        except (ValueError, TypeError) as error:
            raise Impossible(f"the table's position cannot be read: {error}") from error


_USUAL: list[Any] = list(Position())


def _mark(said: list[Any]) -> Mark:
    offset, taken, low = said
    return Mark(int(offset), int(taken), dict(low))


def check(number: int, position: int, start: int, end: int) -> None:
    """Raises Impossible where a checkpoint does not fit the log from `start` to `end`."""
    if position > end:
        raise Impossible(
            f"partition {number}: its checkpoint is at {position}, beyond the log's end {end}. "
            "The log has lost facts, or belongs to another app: restore it before going on."
        )
    if position < start:
        raise Impossible(
            f"partition {number}: its checkpoint is at {position}, and the log starts at {start}. "
            "Facts were deleted before they were folded: restore the log or the tables."
        )
