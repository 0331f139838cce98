"""A reader: waiting for records, whatever feeds them."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from sagalog.schemas.record import Record
from sagalog.streams.log import Place


class Feed(Protocol):
    """Where a reader's records come from, and how far it has read each place."""

    def watch(self, place: Place, offset: int) -> None:
        """Feed `place` from `offset` on."""
        ...

    def drop(self, place: Place) -> None:
        """Feed `place` no more."""
        ...

    def pause(self, place: Place) -> None:
        """Feed nothing of `place` until `resume`."""
        ...

    def resume(self, place: Place) -> None:
        """Undo `pause`."""
        ...

    def take(self) -> list[Record]:
        """What is there now and not yet taken, bounded. Raises OffsetLost."""
        ...

    @property
    def behind(self) -> bool:
        """Whether `take` may find more without anything new being appended."""
        ...


class EmbeddedReader:
    """A `Reader` over a feed; whoever appends calls `wake`."""

    def __init__(self, feed: Feed, closed: "Callable[[EmbeddedReader], None]") -> None:
        self._feed = feed
        self._closed = closed
        self._open = True
        self._rested = True
        self._waiter: asyncio.Future[None] | None = None

    def watch(self, place: Place, offset: int) -> None:
        """Read `place` from `offset` on."""
        self._feed.watch(place, offset)
        self.wake()

    def drop(self, place: Place) -> None:
        """Read `place` no more."""
        self._feed.drop(place)

    def pause(self, place: Place) -> None:
        """Return nothing of `place` until `resume`."""
        self._feed.pause(place)

    def resume(self, place: Place) -> None:
        """Undo `pause`."""
        self._feed.resume(place)
        self.wake()

    async def read(self, timeout: float) -> list[Record]:
        """The next records, at once when there are any, else [] after `timeout` seconds."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout
        if not self._rested:
            # One that always finds records must not starve the other tasks.
            await asyncio.sleep(0)
        self._rested = False
        while self._open:
            if records := self._feed.take():
                return records
            if self._feed.behind:
                await asyncio.sleep(0)
            elif loop.time() >= until:
                break
            else:
                await self._woken(until)
        return []

    async def close(self) -> None:
        """End a pending `read` with []."""
        self.shut()

    def shut(self) -> None:
        """Close without waiting."""
        if self._open:
            self._open = False
            self._closed(self)
            self.wake()

    def wake(self) -> None:
        """Let a pending `read` look again."""
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    async def _woken(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_at(until, self.wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._rested = True
