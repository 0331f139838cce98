"""What the rooms of one partition share: its table, its writer, and what is under way."""

from collections import Counter
from dataclasses import dataclass, field

from sagalog.engine.agenda import Agenda
from sagalog.engine.breaker import Breakers
from sagalog.engine.effects import LaneDone, Lettered
from sagalog.engine.holding import Holding
from sagalog.engine.offsets import OffsetMap
from sagalog.engine.purging import Purges
from sagalog.engine.table import Table
from sagalog.engine.writer import Writer
from sagalog.schemas.record import Record


@dataclass(slots=True)
class Desk:
    """The desk of one owner of one partition; `partitions` is how many the app has.

    `unlettered` are the offsets of facts that go to the dead letters and do not stand there yet.
    """

    partitions: int
    writer: Writer
    breakers: Breakers | None = None
    table: Table = field(default_factory=Table)
    agenda: Agenda = field(default_factory=Agenda)
    offsets: dict[str, OffsetMap] = field(default_factory=dict[str, OffsetMap])
    counters: Counter[str] = field(default_factory=Counter[str])
    unlettered: set[int] = field(default_factory=set[int])
    purges: Purges = field(default_factory=Purges)
    holding: Holding = field(init=False)

    def __post_init__(self) -> None:
        """The door stands before the agenda."""
        self.holding = Holding(self.agenda, self.breakers)

    def done(self, request: LaneDone | None) -> None:
        """The request needs no further reading."""
        if request is not None:
            self.offsets[request.lane].done(request.offset)

    def commits(self) -> dict[str, int]:
        """For each lane the offset below which nothing needs to be read again."""
        for request in self.purges.carried_out(self.offsets):
            self.done(request)
        return {lane: offsets.low for lane, offsets in self.offsets.items()}

    def poison(self, record: Record, reason: str, done: LaneDone | None) -> None:
        """The record cannot be taken in: it goes to the dead letters, whole."""
        self.counters["poison"] += 1
        if done is not None:
            self.writer.poison(record, reason, done)
            return
        self.unlettered.add(record.offset)
        self.writer.poison(record, reason, Lettered(record.offset))
