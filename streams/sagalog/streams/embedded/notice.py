"""Noticing what other processes commit."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from sagalog.streams.embedded.inotify import FileEvents

BUSY: Final = 0.002
"""Seconds between two looks while the log moves."""

CALMING: Final = 0.02
"""Seconds without a move after which the looks become rarer."""

IDLE: Final = 0.004
"""Seconds between these."""

CALM: Final = 0.1
"""Seconds without a move after which Linux may be asked to tell. It tells of the write, and
the commit shows only after the fsync that follows: so this is longer than most of them."""

TOLD: Final = 0.25
"""Seconds between two looks that are only a safety net."""


class Notice:
    """Calls `look` when others may have committed; it answers whether anything was new.

    While the log moves, by whomever, it looks every other millisecond: asking for the last
    row of `records` costs 4 microseconds, and unlike PRAGMA data_version it does not mind
    this process's own commits. But a timer that fires 250 times a second takes 1 to 2 % of a
    core, so a calm log is left to inotify (which would fire at own commits all the time).
    """

    def __init__(self, wal: Path, look: Callable[[], bool]) -> None:
        self._look = look
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._moved = 0.0
        self._armed = False
        self._events: FileEvents | None = None
        with suppress(OSError):
            self._events = FileEvents(wal)

    def start(self) -> None:
        """Begin, if not begun."""
        if self._timer is None:
            self._wait(BUSY)

    def stop(self) -> None:
        """End; may be started again."""
        self._disarm()
        if self._timer:
            self._timer.cancel()
        self._timer = None

    def close(self) -> None:
        """End for good."""
        self.stop()
        if self._events:
            self._events.close()
        self._events = None

    def moved(self) -> None:
        """The log has moved: where there was one commit there will be more."""
        self._moved = self._loop.time()
        if self._armed:
            self._disarm()
            self._wait(BUSY)

    def _wait(self, delay: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_later(delay, self._tick)

    def _tick(self) -> None:
        if self._look():
            self.moved()
        if self._armed:
            self._wait(TOLD)
            return
        since = self._loop.time() - self._moved
        if self._events and since > CALM:
            self._arm(self._events)
        else:
            self._wait(BUSY if since <= CALMING else IDLE)

    def _arm(self, events: FileEvents) -> None:
        events.clear()
        self._loop.add_reader(events.descriptor, self._written)
        self._armed = True
        self._wait(TOLD)
        # What was written between the last look and `clear` shows only here.
        if self._look():
            self.moved()

    def _disarm(self) -> None:
        if self._armed and self._events:
            self._loop.remove_reader(self._events.descriptor)
        self._armed = False

    def _written(self) -> None:
        self._look()
        self.moved()
