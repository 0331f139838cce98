"""One lane of one partition: which of its requests have landed, and which may not be passed."""

from array import array
from typing import Any, NamedTuple

from sagalog.schemas.record import Record


class Ask(NamedTuple):
    """A request that has not landed as far as is known. `request` is None where it cannot be read.

    `source` is who wrote it; `elsewhere` says that it belongs to another partition.
    """

    record: Record
    instance: str
    source: str
    request: Any
    elsewhere: bool = False


class Lane:
    """The open requests of one place, by offset; `committed` is -1 until somebody looked."""

    def __init__(self, app: str, name: str, topic: str, partition: int) -> None:
        self.app, self.name = app, name
        self.topic, self.partition = topic, partition
        self.begins, self.next, self.committed = 0, 0, -1
        self.fed = self.trimmed = False
        self.open: dict[int, Ask] = {}
        self._base = 0
        self._stamps = array("q")

    def came(self, record: Record) -> None:
        """A record was read: its stamp is kept until it is below the low water."""
        self.trimmed = self.trimmed or (not self.fed and record.offset > 0)
        self.fed = True
        missing = record.offset - self._base - len(self._stamps)
        if not self._stamps:
            self._base, missing = record.offset, 0
        self._stamps.extend([record.timestamp] * missing)
        self._stamps.append(record.timestamp)
        self.next = record.offset + 1

    def stamp_from(self, offset: int) -> int | None:
        """The stamp of the first record from `offset` on; None where none was read, or kept."""
        index = offset - self._base
        return self._stamps[index] if 0 <= index < len(self._stamps) else None

    def below(self, offset: int) -> list[Ask]:
        """The open requests below an offset, in order."""
        found: list[Ask] = []
        for at, ask in self.open.items():
            if at >= offset:
                break
            found.append(ask)
        return found

    def lowered(self, offset: int) -> None:
        """No stamp below the low water is asked for any more."""
        gone = min(offset - self._base, len(self._stamps))
        if gone > 4096:
            del self._stamps[:gone]
            self._base += gone
