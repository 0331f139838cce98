"""Trying again, with patience that ends."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sagalog.streams.errors import LogUnavailable
from sagalog.streams.logs import logger

SHORTEST = 0.005
LONGEST = 0.25
NOTICE = 5.0
"""Seconds between two log lines about the same wait."""

T = TypeVar("T")
_log = logger(__name__)


class Refused(LogUnavailable):
    """The brokers answer, and asking them again will not change what they say."""


class Closed(Refused):
    """This log was closed."""


def pause_after(age: float) -> float:
    """How long to wait before the next attempt at what has failed for `age` seconds."""
    return min(max(age, SHORTEST), LONGEST)


class Patience:
    """How long something has been tried, and whether it is time to say so."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._began = self._noticed = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def notice(self, error: LogUnavailable) -> None:
        """Log that it still fails, now and then."""
        now = time.monotonic()
        if now - self._noticed > NOTICE:
            self._noticed = now
            _log.warning("still trying", doing=self._doing, seconds=round(self.age), why=str(error))


async def persist(attempt: Callable[[], Awaitable[T]], *, timeout: float, doing: str) -> T:
    """Make the attempt until it succeeds, is refused, or `timeout` seconds have passed."""
    patience = Patience(doing)
    while True:
        try:
            return await attempt()
        except Refused:
            raise
        except LogUnavailable as error:
            if patience.age >= timeout:
                raise
            patience.notice(error)
        await asyncio.sleep(pause_after(patience.age))
