"""A reader over the simulated broker: each place arrives by itself, late, and in parts."""

import asyncio

from sagalog.schemas.record import Record
from sagalog.streams.errors import OffsetLost
from sagalog.streams.log import Place
from tests.simulation.broker import Broker, Shelf
from tests.simulation.journeys import Line


class Watch:
    """One place as far as it was fetched (`visible`) and read (`position`)."""

    __slots__ = ("_asked", "_before", "_reader", "_taken", "paused", "position", "shelf", "visible")

    def __init__(self, reader: "SimulatedReader", shelf: Shelf, offset: int) -> None:
        self._reader, self.shelf = reader, shelf
        self.position = self.visible = offset
        self.paused = False
        self._asked = False
        self._taken, self._before = -1.0, offset

    @property
    def before(self) -> int:
        """Where it stood before this moment."""
        return self._before if self._taken == self._reader.line.loop.time() else self.position

    @property
    def lost(self) -> bool:
        """Whether the log does not hold what is to be read next."""
        return not self.shelf.start <= self.position <= self.shelf.end

    @property
    def ready(self) -> bool:
        """Whether there is something to return."""
        return not self.paused and (self.position < self.visible or self.lost)

    def news(self) -> None:
        """There is more: it is fetched, unless that is under way already."""
        if self._asked or self.visible >= self.shelf.end:
            return
        line = self._reader.line
        if line.process.frozen:
            self._asked = True
            line.loop.call_soon(self._thawed, context=line.inside)
            return
        delay = line.network.fetch(self.shelf.place[0], line.chance) + line.away
        if delay:
            self._asked = True
            line.loop.call_later(delay, self._arrived, self.shelf.end, context=line.inside)
        else:
            self._arrived(self.shelf.end)

    def _thawed(self) -> None:
        self._asked = False
        self.news()

    def _arrived(self, end: int) -> None:
        self._asked = False
        self.visible = max(self.visible, end)
        self._reader.wake()
        self.news()

    def take(self, most: int) -> list[Record]:
        """The next records, at most so many offsets of them."""
        self._before, self._taken = self.before, self._reader.line.loop.time()
        end = min(self.visible, self.position + most)
        records = self.shelf.between(self.position, end)
        self.position = end
        return records


class SimulatedReader:
    """A `Reader`."""

    def __init__(self, broker: Broker, line: Line) -> None:
        self.line = line
        self._broker = broker
        self._watches: dict[Place, Watch] = {}
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    def watch(self, place: Place, offset: int) -> None:
        """Read `place` from `offset` on."""
        before = self._watches.get(place)
        now = Watch(self, self._broker.shelf(place), offset)
        now.paused = before is not None and before.paused
        self.drop(place)
        self._watches[place] = now
        if self.line.dead:
            return
        now.shelf.watchers[now] = None
        now.news()
        self.wake()

    def drop(self, place: Place) -> None:
        """Read `place` no more."""
        watch = self._watches.pop(place, None)
        if watch is not None:
            watch.shelf.watchers.pop(watch, None)

    def pause(self, place: Place) -> None:
        """Return nothing of `place` until `resume`."""
        if watch := self._watches.get(place):
            watch.paused = True

    def resume(self, place: Place) -> None:
        """Undo `pause`."""
        if watch := self._watches.get(place):
            watch.paused = False
            self.wake()

    def fall_silent(self) -> None:
        """The process has died: nobody fetches any more."""
        for place in list(self._watches):
            self.drop(place)

    def before(self, place: Place) -> int:
        """Up to where a place was read before this moment."""
        watch = self._watches.get(place)
        return -1 if watch is None else watch.before

    def wake(self) -> None:
        """There may be something to return."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def read(self, timeout: float) -> list[Record]:
        """The next records, else [] after `timeout` seconds. Raises OffsetLost."""
        until = self.line.loop.time() + timeout
        while True:
            if ready := [w for w in self._watches.values() if w.ready]:
                if records := self._take(ready):
                    return records
            elif self._closed or self.line.loop.time() >= until:
                return []
            else:
                await self._wait(until)

    async def _wait(self, until: float) -> None:
        self._waiter = self.line.loop.create_future()
        timer = self.line.loop.call_at(until, self.wake)
        try:
            await self._waiter
        finally:
            timer.cancel()

    def _take(self, ready: list[Watch]) -> list[Record]:
        for watch in ready:
            if watch.lost:
                self.line.saw("a reader whose place was trimmed")
                raise OffsetLost(f"{watch.shelf.place} does not hold {watch.position}")
        chance, most = self.line.chance, 1_000_000
        if chance.odds(self.line.network.partial):
            ready = [chance.pick(ready)]
            most = 1 + chance.choose(3)
        records = [record for watch in ready for record in watch.take(most)]
        self.line.strike("after-read")
        return records

    async def close(self) -> None:
        """Stop fetching; a pending `read` ends with []."""
        self._closed = True
        self.fall_silent()
        self.wake()
