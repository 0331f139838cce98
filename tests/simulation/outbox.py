"""Appends of one process: those of one place one behind the other, as bunches.

Sent, landed, reply lost: a bunch that was sent lands at most once, whoever dies meanwhile. What a
producer repeats until it is answered is here a message that takes longer.
"""

import asyncio
from collections.abc import Callable, Sequence

from sagalog.schemas.record import Entry
from sagalog.streams.errors import LogError, LogUnavailable, RecordTooLarge
from sagalog.streams.log import Place
from tests.simulation.broker import Broker
from tests.simulation.journeys import Line

Calls = list[tuple[Sequence[Entry], "asyncio.Future[int]"]]


class Queue:
    """What waits for one place; at most one bunch of it is under way."""

    __slots__ = ("busy", "calls", "place")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.calls: Calls = []
        self.busy = False


class Outbox:
    """See the module. `largest` is the most bytes of a record."""

    def __init__(self, broker: Broker, line: Line, largest: Callable[[str], int]) -> None:
        self._broker, self._line, self._largest = broker, line, largest
        self._queues: dict[Place, Queue] = {}

    def append(self, place: Place, entries: Sequence[Entry]) -> "asyncio.Future[int]":
        """Append all entries; the result is the first one's offset."""
        future: asyncio.Future[int] = self._line.loop.create_future()
        if self._line.dead:
            return future
        try:
            self._broker.shelf(place)
            self._measure(place, entries)
        except LogError as error:
            _fail(future, error)
            return future
        queue = self._queues.get(place)
        if queue is None:
            queue = self._queues[place] = Queue(place)
        queue.calls.append((entries, future))
        if not queue.busy:
            queue.busy = True
            self._line.loop.call_soon(self._flush, queue, context=self._line.inside)
        return future

    def _measure(self, place: Place, entries: Sequence[Entry]) -> None:
        largest = self._largest(place[0])
        if any(len(entry.key or b"") + len(entry.value or b"") > largest for entry in entries):
            raise RecordTooLarge(f"{place[0]} takes {largest} bytes")

    def _flush(self, queue: Queue) -> None:
        line = self._line
        if line.dead or line.strike("before-append"):
            return
        calls, queue.calls = queue.calls, []
        if len(calls) > 1 and line.chance.odds(line.network.partial):
            cut = 1 + line.chance.choose(len(calls) - 1)
            calls, queue.calls = calls[:cut], calls[cut:]
        if line.chance.odds(line.network.failing):
            self._fail(queue, calls, landed=bool(line.chance.choose(2)))
            return
        line.send(lambda: self._land(queue, calls))
        line.strike("append-sent")

    def _fail(self, queue: Queue, calls: Calls, *, landed: bool) -> None:
        """Nobody knows whether it was appended, and nobody sends it again."""
        self._line.saw("an append of unknown end")
        if landed:
            self._line.send(lambda: self._put(queue, calls))
        self._line.answer(self._failed, queue, calls, after=1.0)

    def _failed(self, queue: Queue, calls: Calls) -> None:
        for _, future in calls:
            _fail(future, LogUnavailable(f"{queue.place}: the broker answers strangely"))
        self._next(queue)

    def _put(self, queue: Queue, calls: Calls) -> int:
        entries = [entry for entries, _ in calls for entry in entries]
        return self._broker.append(queue.place, entries)

    def _land(self, queue: Queue, calls: Calls) -> None:
        first = self._put(queue, calls)
        if self._line.dead:
            self._line.saw("landed behind its sender's death")
            return
        taken = any(_TAKEN in (entry.value or b"") for entries, _ in calls for entry in entries)
        if taken and self._line.strike("after-taken-before-acting"):
            return
        if self._line.strike("append-landed-reply-lost"):
            return
        self._line.answer(self._acknowledged, queue, calls, first)

    def _acknowledged(self, queue: Queue, calls: Calls, first: int) -> None:
        for entries, future in calls:
            if not future.done():
                future.set_result(first)
            first += len(entries)
        if not self._line.strike("after-acknowledge"):
            self._next(queue)

    def _next(self, queue: Queue) -> None:
        if queue.calls:
            self._flush(queue)
        else:
            queue.busy = False


_TAKEN = b"sagalog.partition.taken"


def _fail(future: "asyncio.Future[int]", error: LogError) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # nobody has to await it
