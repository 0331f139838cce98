"""One place of a reader: how far it was fetched, and what of it waits to be read."""

from sagalog.schemas.record import Record
from sagalog.streams.errors import LogError
from sagalog.streams.kafka.batches import Batch, end_of, split
from sagalog.streams.kafka.fetch import Part
from sagalog.streams.log import Place


class Watch:
    """One place of a reader."""

    __slots__ = ("batches", "error", "offset", "paused", "place", "size")

    def __init__(self, place: Place, offset: int) -> None:
        self.place = place
        self.offset = offset
        """Where the next fetch begins."""
        self.paused = False
        self.batches: list[Batch] = []
        self.size = 0
        """How many bytes of it wait to be read."""
        self.error: LogError | None = None

    @property
    def wanted(self) -> bool:
        """Whether to fetch more of it: of a paused place there is one helping at most."""
        return self.error is None and not (self.paused and self.batches)

    @property
    def readable(self) -> bool:
        """Whether a read has something to return or to raise."""
        return self.error is not None or (bool(self.batches) and not self.paused)

    def fetched(self, part: Part) -> None:
        """Keep what a fetch from `offset` has found."""
        batches = split(part, self.offset)
        if batches:  # a batch that was cut off is fetched again, alone
            self.batches += batches
            self.offset = end_of(batches)
            self.size += len(part.data)

    def take(self) -> list[Record]:
        """What waits to be read."""
        batches, self.batches, self.size = self.batches, [], 0
        return [record for batch in batches for record in batch.records()]
