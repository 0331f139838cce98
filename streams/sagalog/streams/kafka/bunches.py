"""What waits for one place, in the order of the appends, and the bunch of it under way."""

import time
from asyncio import Future
from collections import deque
from itertools import chain
from typing import NamedTuple

from sagalog.schemas.record import Entry
from sagalog.streams.errors import LogError
from sagalog.streams.kafka.batches import BATCH_OVERHEAD, Identity, encode, next_sequence
from sagalog.streams.log import Place
from sagalog.streams.logs import logger

_log = logger(__name__)


class Call(NamedTuple):
    """One append: its entries, their size in a batch, and who waits for the offset."""

    entries: tuple[Entry, ...]
    size: int
    offset: Future[int]


class Bunch(NamedTuple):
    """The appends that travel together. Its bytes never change: that makes repeats harmless."""

    calls: list[Call]
    records: int
    payload: bytes
    since: float


class Queue:
    """The appends of one place. At most one bunch of them is under way."""

    __slots__ = ("_bunch", "_calls", "_sequence", "busy", "disowned", "identity", "place")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.busy = False
        """Something is scheduled or under way that will look at this queue again."""
        self.identity: Identity | None = None
        self.disowned: Identity | None = None
        """Who must not write here again: what became of its last bunch is not known."""
        self._calls: deque[Call] = deque()
        self._bunch: Bunch | None = None
        self._sequence = 0

    @property
    def empty(self) -> bool:
        """Nothing waits or is under way."""
        return not self._calls and self._bunch is None

    @property
    def since(self) -> float:
        """When the bunch under way was first sent."""
        return time.monotonic() if self._bunch is None else self._bunch.since

    @property
    def size(self) -> int:
        """How large the bunch under way is, in bytes."""
        return 0 if self._bunch is None else len(self._bunch.payload)

    def add(self, call: Call) -> None:
        """Put one append behind the others."""
        self._calls.append(call)

    def identify(self, identity: Identity) -> None:
        """Write as this producer from now on."""
        self.identity, self._sequence = identity, 0

    def payload(self, limit: int) -> bytes:
        """The bytes of the bunch under way, or else of the next one, of at most `limit` bytes."""
        if self._bunch is None:
            self._bunch = self._encode(self._take(limit))
        return self._bunch.payload

    def settle(self, offset: int) -> None:
        """The bunch is in the log, from `offset` on."""
        bunch, self._bunch = self._bunch, None
        assert bunch is not None
        self._sequence = next_sequence(self._sequence, bunch.records)
        for call in bunch.calls:
            if not call.offset.done():  # the caller may have stopped waiting
                call.offset.set_result(offset)
            offset += len(call.entries)

    def halve(self) -> bool:
        """Make the bunch smaller, if it is more than one append; none of it was appended."""
        bunch = self._bunch
        assert bunch is not None
        half = len(bunch.calls) // 2
        if half:
            self._calls.extendleft(reversed(bunch.calls[half:]))
            self._bunch = self._encode(bunch.calls[:half])
        return bool(half)

    def fail(self, error: LogError) -> None:
        """Tell the callers of the bunch under way that it failed.

        The next one gets another producer: had this one been appended after all, brokers
        would take the next, which would have the same sequence, for its repeat, and drop it.
        """
        bunch, self._bunch = self._bunch, None
        if bunch is not None:
            self.disowned, self.identity = self.identity, None
            self._tell(bunch.calls, error)

    def abandon(self, error: LogError) -> None:
        """Tell every caller that nothing more is sent."""
        self.fail(error)
        calls, self._calls = list(self._calls), deque()
        self._tell(calls, error)

    def _take(self, limit: int) -> list[Call]:
        calls = [self._calls.popleft()]
        room = limit - BATCH_OVERHEAD - calls[0].size
        while self._calls and self._calls[0].size <= room:
            calls.append(self._calls.popleft())
            room -= calls[-1].size
        return calls

    def _encode(self, calls: list[Call]) -> Bunch:
        assert self.identity is not None
        entries = list(chain.from_iterable(call.entries for call in calls))
        payload = encode(entries, self.identity, self._sequence)
        return Bunch(calls, len(entries), payload, time.monotonic())

    def _tell(self, calls: list[Call], error: LogError) -> None:
        if not calls:
            return
        topic, partition = self.place
        _log.error(
            "appends failed", topic=topic, partition=partition, appends=len(calls), why=str(error)
        )
        for call in calls:
            if not call.offset.done():
                # One error each, so that tracebacks do not pile up on a shared one.
                call.offset.set_exception(type(error)(*error.args))
                call.offset.exception()  # logged above, should nobody await it
