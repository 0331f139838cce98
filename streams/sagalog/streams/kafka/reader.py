"""Reads any set of places: one fetch is always under way at each broker that leads some.

The next fetch is sent as soon as an answer is in, before its records are looked at, so that
the broker waits for news while the caller works.
"""

import asyncio
from contextlib import suppress
from itertools import count
from math import inf

from sagalog.schemas.record import Record
from sagalog.streams.errors import LogError, LogUnavailable, OffsetLost
from sagalog.streams.kafka.cluster import Cluster
from sagalog.streams.kafka.codes import PASSING, Code, name_of
from sagalog.streams.kafka.fetch import Fetched, FetchLimits, FetchSession, Part
from sagalog.streams.kafka.library import UNREADABLE
from sagalog.streams.kafka.retry import Closed, Patience, Refused, pause_after, persist
from sagalog.streams.kafka.watch import Watch
from sagalog.streams.log import Place

_ENOUGH = 8 << 20  # bytes that may wait to be read before fetching stops
_FORGOTTEN = frozenset({Code.FETCH_SESSION_ID_NOT_FOUND, Code.INVALID_FETCH_SESSION_EPOCH})
_MOVING = 0.02  # seconds before the new leader of a partition is looked for

_lanes = count(1)


class KafkaReader:
    """A `Reader` with fetch sessions and connections of its own."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._loop = asyncio.get_running_loop()
        self._lane = f"reader {next(_lanes)}"
        self._limits = FetchLimits(wait=cluster.settings.fetch_wait)
        self._watches: dict[Place, Watch] = {}
        self._fetching: dict[int, asyncio.Task[None]] = {}
        self._locating: dict[Place, asyncio.Task[None]] = {}
        self._waiter: asyncio.Future[None] | None = None
        self._failing: dict[int, Patience] = {}
        self._version = cluster.version
        self._room = asyncio.Event()
        self._closed = False

    def watch(self, place: Place, offset: int) -> None:
        """Read `place` from `offset` on; a place that is watched already moves there."""
        before, now = self._watches.get(place), Watch(place, offset)
        now.paused = before is not None and before.paused
        self._watches[place] = now
        self._room.set()
        self._assign()

    def drop(self, place: Place) -> None:
        """Read `place` no more."""
        self._watches.pop(place, None)
        self._room.set()

    def pause(self, place: Place) -> None:
        """Return nothing of `place` until `resume`."""
        if watch := self._watches.get(place):
            watch.paused = True
            self._room.set()  # what waits of it does not hold up the others

    def resume(self, place: Place) -> None:
        """Undo `pause`."""
        if watch := self._watches.get(place):
            watch.paused = False
            self._assign()
            self._wake()

    async def read(self, timeout: float) -> list[Record]:
        """The next records of all places, else [] after `timeout` seconds."""
        until = self._loop.time() + timeout
        while not (ready := [w for w in self._watches.values() if w.readable]):
            if self._closed or self._loop.time() >= until:
                return []
            await self._wait(until)
        return self._take(ready)

    async def close(self) -> None:
        """Stop fetching; a pending `read` ends with []."""
        self._closed = True
        self._watches.clear()
        self._wake()
        tasks = [*self._fetching.values(), *self._locating.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._cluster.disconnect(self._lane)

    async def _wait(self, until: float) -> None:
        self._waiter = self._loop.create_future()
        timer = self._loop.call_at(until, self._wake)
        try:
            await self._waiter
        finally:
            timer.cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _take(self, ready: list[Watch]) -> list[Record]:
        for watch in ready:
            if (error := watch.error) is not None:
                raise type(error)(*error.args)  # a new one each time, with its own traceback
        records: list[Record] = []
        for watch in ready:
            try:
                records += watch.take()
            except UNREADABLE as error:
                # Raised by the next read: what was taken of other places must not be lost.
                watch.error = _undecodable(watch.place, error)
        self._room.set()
        return records

    def _assign(self) -> None:
        """See that whatever is wanted is fetched, wherever its leader is."""
        self._version = self._cluster.version
        for place, watch in self._watches.items():
            if not watch.wanted:
                continue
            leader = self._cluster.leader(place)
            if leader is None:
                self._look_for(place)
            elif leader not in self._fetching:
                self._fetching[leader] = self._loop.create_task(self._fetch(leader))

    def _look_for(self, place: Place, pause: float = 0.0) -> None:
        if place not in self._locating:
            self._locating[place] = self._loop.create_task(self._locate(place, pause))

    async def _locate(self, place: Place, pause: float) -> None:
        """Find the leader of a place, as long as it takes."""
        doing = f"reading {_name(place)}"
        try:
            await asyncio.sleep(pause)
            await persist(lambda: self._cluster.locate(place), timeout=inf, doing=doing)
        except LogError as error:
            self._fail(place, error)
        finally:
            del self._locating[place]
        self._assign()

    async def _fetch(self, broker: int) -> None:
        """Fetch from one broker as long as it leads something that is wanted."""
        session = FetchSession(self._limits)
        try:
            while wanted := self._wanted(broker):
                await self._fetch_once(session, broker, wanted)
                if self._version != self._cluster.version:
                    self._assign()  # others may lead some of the places now
        finally:
            del self._fetching[broker]

    async def _fetch_once(
        self, session: FetchSession, broker: int, wanted: dict[Place, int]
    ) -> None:
        try:
            fetched = await self._cluster.send(broker, session.request(wanted), self._lane)
        except Closed as error:
            for place in wanted:
                self._fail(place, error)
        except LogUnavailable as error:
            session.lost()
            await self._recover(broker, error)
        else:
            await self._answered(session, broker, fetched)

    def _wanted(self, broker: int) -> dict[Place, int]:
        leader = self._cluster.leader
        return {
            place: watch.offset
            for place, watch in self._watches.items()
            if watch.wanted and leader(place) == broker
        }

    async def _answered(self, session: FetchSession, broker: int, fetched: Fetched) -> None:
        if fetched.code == Code.NONE:
            self._failing.pop(broker, None)
            session.answered(fetched)
            self._received(session, fetched.parts)
            await self._make_room()
            return
        session.lost()
        if fetched.code not in _FORGOTTEN:
            await self._recover(broker, LogUnavailable(name_of(fetched.code)))

    def _received(self, session: FetchSession, parts: list[Part]) -> None:
        for part in parts:
            watch = self._watches.get(part.place)
            if watch is None or watch.offset != session.asked.get(part.place):
                continue  # dropped or moved since the request
            if part.code:
                self._declined(watch, part)
            elif part.data:
                self._keep(watch, part)
        self._wake()

    def _keep(self, watch: Watch, part: Part) -> None:
        try:
            watch.fetched(part)
        except UNREADABLE as error:
            watch.error = _undecodable(watch.place, error)

    def _declined(self, watch: Watch, part: Part) -> None:
        if part.code == Code.OFFSET_OUT_OF_RANGE:
            watch.error = OffsetLost(
                f"{_name(watch.place)} does not hold offset {watch.offset}:"
                " it was deleted since, or was never written"
            )
        elif part.code in PASSING:
            self._cluster.forget(watch.place)
            self._look_for(watch.place, _MOVING)
        else:
            watch.error = Refused(f"{_name(watch.place)} cannot be read: {name_of(part.code)}")

    def _fail(self, place: Place, error: LogError) -> None:
        if watch := self._watches.get(place):
            watch.error = error
            self._wake()

    async def _recover(self, broker: int, error: LogUnavailable) -> None:
        """Let some time pass, and see whether others lead now."""
        patience = self._failing.setdefault(broker, Patience(f"reading from broker {broker}"))
        patience.notice(error)
        await asyncio.sleep(pause_after(patience.age))
        with suppress(LogUnavailable):
            await self._cluster.refresh()

    async def _make_room(self) -> None:
        """Wait while the caller has enough to read."""
        while sum(w.size for w in self._watches.values() if not w.paused) > _ENOUGH:
            self._room.clear()
            await self._room.wait()


def _undecodable(place: Place, error: Exception) -> Refused:
    return Refused(f"{_name(place)} cannot be decoded: {error}")


def _name(place: Place) -> str:
    return f"{place[0]}/{place[1]}"
