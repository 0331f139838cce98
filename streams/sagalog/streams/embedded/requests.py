"""What waits for the next transaction: appends, and jobs that write anything else."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sagalog.schemas.record import Entry, Record
from sagalog.streams.errors import LogError
from sagalog.streams.log import Place

T = TypeVar("T")


class Append:
    """Entries for one place, and, once committed, where they stand."""

    __slots__ = ("_records", "entries", "future", "number", "offset", "place", "size", "timestamp")

    def __init__(
        self,
        place: Place,
        number: int,
        entries: Sequence[Entry],
        size: int,
        future: "asyncio.Future[int]",
    ) -> None:
        self.place = place
        self.number = number
        self.entries = entries
        self.size = size
        self.future = future
        self.offset = 0
        self.timestamp = 0
        self._records: list[Record] | None = None

    def records(self) -> list[Record]:
        """The entries as readers see them; made once, and only when somebody reads here."""
        if self._records is None:
            (topic, partition), stamp = self.place, self.timestamp
            self._records = [
                Record(topic, partition, offset, stamp, *entry)
                for offset, entry in enumerate(self.entries, self.offset)
            ]
        return self._records

    def settle(self) -> None:
        """Tell the waiter, if there still is one, that the transaction is committed."""
        if not self.future.done():
            self.future.set_result(self.offset)

    def reject(self, error: Exception) -> None:
        """Tell the waiter, if there still is one, that nothing was appended."""
        if not self.future.done():
            self.future.set_exception(error)
            # It is in the log's logging; asyncio need not complain when nobody awaits this.
            self.future.exception()


class Job(Generic[T]):
    """Other work inside a write transaction; `weight` is about how many bytes it writes.

    The work may raise LogError, and has then written nothing: the rest of the
    transaction is committed all the same.
    """

    __slots__ = ("_refusal", "_result", "future", "weight", "work")

    def __init__(
        self, work: Callable[[sqlite3.Connection], T], weight: int, future: "asyncio.Future[T]"
    ) -> None:
        self.work = work
        self.weight = weight
        self.future = future
        self._result: T
        self._refusal: LogError | None = None

    def run(self, connection: sqlite3.Connection) -> None:
        """Do the work inside a transaction."""
        self._refusal = None
        try:
            self._result = self.work(connection)
        except LogError as error:
            self._refusal = error

    def settle(self) -> None:
        """Tell the waiter, if there still is one, that the transaction is committed."""
        if self._refusal:
            self.reject(self._refusal)
        elif not self.future.done():
            self.future.set_result(self._result)

    def reject(self, error: Exception) -> None:
        """Tell the waiter, if there still is one, that nothing was written."""
        if not self.future.done():
            self.future.set_exception(error)


class Commit(NamedTuple):
    """One committed transaction: its appends stand at the seqs from `first` up to `end`."""

    first: int
    end: int
    appends: list[Append]


Request = Append | Job[Any]
