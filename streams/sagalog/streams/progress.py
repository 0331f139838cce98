"""What handlers say of their progress: as seldom as is useful, and how a client hears it."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from sagalog.schemas.replies import Further

Said = Callable[[int, float, str], None]
"""Called with the number of the report, the fraction, and the message."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step is: `fraction` from 0 to 1. `at` is when the log had it."""

    fraction: float
    message: str
    step: str
    attempt: int
    at: datetime

    @classmethod
    def of(cls, said: Further) -> Self:
        """The progress that a client was told."""
        at = datetime.fromtimestamp(said.time / 1000, UTC)
        return cls(said.fraction, said.message, said.step, said.attempt, at)


class Reporter:
    """Passes on what one call reports: at once, then the newest every so many seconds.

    It is made on the loop's own thread and may be called from any.
    """

    __slots__ = ("_closed", "_every", "_latest", "_loop", "_number", "_said", "_thread", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, said: Said, every: float) -> None:
        self._loop, self._said, self._every = loop, said, every
        self._thread = threading.get_ident()
        self._latest: tuple[float, str] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._number, self._closed = 0, False

    def __call__(self, fraction: float, message: str) -> None:
        """Take one report."""
        if threading.get_ident() == self._thread:
            self._take(fraction, message)
        elif not self._closed:
            self._loop.call_soon_threadsafe(self._take, fraction, message)

    def _take(self, fraction: float, message: str) -> None:
        if self._closed:
            return
        self._latest = fraction, message
        if self._timer is None:
            self._tell()

    def _tell(self) -> None:
        self._timer = None
        if self._latest is None:
            return
        (fraction, message), self._latest = self._latest, None
        self._number += 1
        self._timer = self._loop.call_later(self._every, self._tell)
        self._said(self._number, fraction, message)

    def close(self) -> None:
        """The call has ended: its outcome says more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
