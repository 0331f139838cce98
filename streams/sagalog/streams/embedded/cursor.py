"""How far a reader has read one place."""

from typing import Final

from sagalog.schemas.record import Record
from sagalog.streams.log import Place

HOLD: Final = 4096
"""Records that wait for `take`, for each place; more stay in the file."""

HOLD_BYTES: Final = 8 << 20


class Cursor:
    """How far one place has been read.

    `next` is the offset after those in `held`. A cursor is level when all commits of its
    place up to the feed's own position are in `held` or taken; else `seq` says from where
    on its rows must be looked for in the file (None: that must be looked up first).
    """

    __slots__ = ("held", "level", "next", "number", "paused", "place", "seq", "weight")

    def __init__(self, place: Place, number: int, offset: int) -> None:
        self.place = place
        self.number = number
        self.next = offset
        self.seq: int | None = None
        self.level = False
        self.paused = False
        self.held: list[Record] = []
        self.weight = 0

    def hold(self, records: list[Record], weight: int) -> None:
        """Take records that follow those held."""
        self.held += records
        self.next += len(records)
        self.weight += weight

    def full(self) -> bool:
        """Whether no more shall be held."""
        return len(self.held) >= HOLD or self.weight >= HOLD_BYTES

    def fall_behind(self, seq: int) -> None:
        """Leave the rows from `seq` on in the file, for later."""
        self.level, self.seq = False, seq

    def release(self) -> list[Record]:
        """What is held, which is then taken."""
        held, self.held, self.weight = self.held, [], 0
        return held
