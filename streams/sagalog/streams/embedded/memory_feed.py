"""What feeds a reader from memory."""

from typing import Final

from sagalog.schemas.record import Record
from sagalog.streams.embedded.memory_store import MemoryPlace, MemoryStore
from sagalog.streams.embedded.missing import lost
from sagalog.streams.embedded.reader import EmbeddedReader
from sagalog.streams.log import Place

MOST: Final = 1000
"""Records of a place that one `take` returns."""


class MemoryFeed:
    """A `Feed`: offsets into the lists of records."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._positions: dict[Place, int] = {}
        self._places: dict[Place, MemoryPlace] = {}
        self._paused: set[Place] = set()
        self._reader: EmbeddedReader | None = None

    @property
    def behind(self) -> bool:
        """Never: `take` sees all there is."""
        return False

    def attach(self, reader: EmbeddedReader) -> None:
        """Tell who shall be woken."""
        self._reader = reader

    def detach(self) -> None:
        """Wake nobody any more."""
        for place in list(self._places):
            self.drop(place)

    def watch(self, place: Place, offset: int) -> None:
        """Feed `place` from `offset` on."""
        self._places[place] = found = self._store.place(place)
        self._positions[place] = offset
        self._paused.discard(place)
        if self._reader:
            found.readers[self._reader] = None

    def drop(self, place: Place) -> None:
        """Feed `place` no more."""
        if found := self._places.pop(place, None):
            if self._reader:
                found.readers.pop(self._reader, None)
            del self._positions[place]
            self._paused.discard(place)

    def pause(self, place: Place) -> None:
        """Feed nothing of `place` until `resume`."""
        if place in self._places:
            self._paused.add(place)

    def resume(self, place: Place) -> None:
        """Undo `pause`."""
        self._paused.discard(place)

    def take(self) -> list[Record]:
        """What is there and not yet taken, bounded."""
        taken: list[Record] = []
        for place, source in self._places.items():
            position = self._positions[place]
            if place in self._paused or position == source.start + len(source.records):
                continue
            if not source.start <= position <= source.next:
                raise lost(place, position, source.start, source.next)
            at = position - source.start
            some = source.records[at : at + MOST]
            self._positions[place] = position + len(some)
            taken += some
        return taken
