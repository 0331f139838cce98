"""Backpressure: a client that may not fill a lane without bound is told so at the door."""

import asyncio
import math
from collections.abc import Mapping

from sagalog.engine.errors import SagalogError
from sagalog.streams.backlog import Backlog, read_backlogs
from sagalog.streams.errors import LogError
from sagalog.streams.log import Log
from sagalog.streams.logs import logger
from sagalog.streams.surroundings import Clock

log_ = logger(__name__)

FRESH = 1000
"""For so long (ms) what is known of the backlog is not asked for again."""

STALE = 5000
"""What is older than this (ms) is asked for before anything is sent."""

LEAST, GUESS, MOST = 1.0, 5.0, 60.0
"""Bounds of `retry_after`, in seconds: the most also where nothing drains. The guess is told
where the lane has been seen once, so that nobody knows yet how fast it drains."""


class Backpressure(SagalogError):
    """A lane holds too much, and nothing was sent. Try again after `retry_after` seconds."""

    def __init__(self, lane: str, depth: int, limit: int, retry_after: float) -> None:
        super().__init__(
            f"the lane {lane} holds {depth:,} requests, over the limit of {limit:,}: "
            f"nothing was sent. Try again in {retry_after:.0f} s"
        )
        self.lane, self.depth, self.limit, self.retry_after = lane, depth, limit, retry_after


class Gate:
    """Where requests pass into the lanes: shut for a lane while it holds `limit` or more.

    It asks the log only while somebody produces: at most once a second, beside the sending;
    where it knows nothing yet, or nothing recent, the sending waits for the answer.
    """

    def __init__(self, log: Log, app: str, limit: int, clock: Clock) -> None:
        self._log, self._app, self._limit, self._clock = log, app, limit, clock
        self._lanes: dict[str, None] = {}
        self._known: Mapping[str, Backlog] = {}
        self._at = 0
        self._sent: dict[str, int] = {}
        self._rates: dict[str, float] = {}
        self._asking: asyncio.Task[None] | None = None

    async def enter(self, lane: str, count: int, partitions: int) -> None:
        """Let `count` requests pass, all or none. Raises Backpressure."""
        if self._limit <= 0:
            return
        self._lanes[lane] = None
        age = self._clock() - self._at
        if lane not in self._known or age > STALE:
            await asyncio.shield(self._ask(partitions))
        elif age > FRESH:
            self._ask(partitions)
        depth = self.depth(lane)
        if depth >= self._limit:
            raise Backpressure(lane, depth, self._limit, self._retry_after(lane, depth))
        self._sent[lane] = self._sent.get(lane, 0) + count

    def depth(self, lane: str) -> int:
        """What the lane holds as far as is known: as last seen, and what was sent since."""
        known = self._known.get(lane)
        return (known.depth if known else 0) + self._sent.get(lane, 0)

    async def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _retry_after(self, lane: str, depth: int) -> float:
        rate = self._rates.get(lane)
        if rate is None:
            return GUESS
        wait = (depth - self._limit + 1) / rate if rate > 0 else MOST
        return float(math.ceil(min(max(wait, LEAST), MOST)))

    def _ask(self, partitions: int) -> asyncio.Task[None]:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._look(partitions))
        return self._asking

    async def _look(self, partitions: int) -> None:
        """Where the log does not answer, nothing is held back: the sending itself will tell."""
        sent = dict(self._sent)
        try:
            seen = await read_backlogs(self._log, self._app, partitions, list(self._lanes))
        except LogError as error:
            log_.warning("cannot learn how much waits", error=str(error))
            return
        now, before = self._clock(), self._known
        for lane, backlog in seen.items():
            if lane in before and now > self._at:
                gone = backlog.taken - before[lane].taken
                self._rates[lane] = gone * 1000 / (now - self._at)
            self._sent[lane] = self._sent.get(lane, 0) - sent.get(lane, 0)
        self._known, self._at = seen, now
