"""A pod's presence in the log: it tells that it is there, and hears when it is to stop."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from importlib.metadata import version

from sagalog.engine.effects import Invocation
from sagalog.schemas.codec import decode, encode
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Entry
from sagalog.schemas.topics import Topics
from sagalog.schemas.workers import DrainWorker, Running, WorkerSeen, WorkerState
from sagalog.streams.errors import LogError
from sagalog.streams.log import Log, Reader
from sagalog.streams.logs import logger
from sagalog.streams.stats import PodStats
from sagalog.streams.surroundings import ROUND, Clock, Token

log = logger(__name__)

LAST_WORD = 0.5
"""Seconds for the tombstone of a pod that ends; without it the pod is seen as gone, soon."""

TOLD = 20
"""The handlers that a beat tells of, of all that run."""

CALM = 0.1
"""Seconds after a change until it is told: changes come in swarms."""

Sight = tuple[WorkerState, PodStats, Sequence[tuple[Invocation, float]]]
"""What a pod is at, its figures, and the handlers that run, each with its seconds so far."""


class Presence:
    """Beats under the pod's name, and listens there. See docs/decisions/0020-workers.md.

    `interval` in seconds; 0 or less for none at all. Nothing that goes wrong here stops the pod.
    """

    def __init__(
        self,
        log: Log,
        app: str,
        member: str,
        interval: float,
        clock: Clock,
        token: Token,
        look: Callable[[], Sight],
        drain: Callable[[], Awaitable[None]],
    ) -> None:
        self._log, self._topic, self._member = log, Topics(app).workers, member
        self._interval, self._clock, self._token = interval, clock, token
        self._look, self._drain = look, drain
        self._place = (self._topic, 0)
        self._seen: WorkerSeen | None = None
        self._reader: Reader | None = None
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Begin to tell and to listen."""
        if self._interval <= 0:
            return
        try:
            count = await self._log.partitions(self._topic)
            self._place = (self._topic, partition_of(self._member.encode(), count))
            end = (await self._log.ends([self._place]))[self._place]
        except LogError as error:
            log.warning("this worker is not seen by others", reason=str(error))
            return
        self._seen = WorkerSeen(
            life=self._token(6),
            host=socket.gethostname(),
            pid=os.getpid(),
            started_at=self._clock(),
            version=version("sagalog"),
            interval=round(self._interval * 1000),
        )
        self._reader = self._log.reader()
        self._reader.watch(self._place, end)
        loops = (self._beats(), self._listen(self._reader))
        self._tasks = [asyncio.create_task(loop, name=ROUND) for loop in loops]

    async def close(self) -> None:
        """Say that it ends in order, and tell no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._reader is not None:
            await self._append(None)
            await self._reader.close()
            self._reader = None

    async def beat(self) -> None:
        """Tell how it stands now."""
        if self._seen is not None:
            now = self._clock()
            seen = _seen(self._seen, self._look(), now)
            id_ = f"{self._member}/{seen.life}/{now}"
            await self._append(
                encode(seen, id=id_, source=self._member, subject=self._member, now=now)
            )

    async def _append(self, value: bytes | None) -> None:
        entry = Entry(self._member.encode(), value)
        try:
            async with asyncio.timeout(LAST_WORD if value is None else self._interval):
                await self._log.append(*self._place, [entry])
        except (LogError, TimeoutError) as error:
            log.debug("a beat could not be written", reason=str(error))

    def changed(self) -> None:
        """What it has or does has changed: the next beat comes soon."""
        self._changed.set()

    async def _beats(self) -> None:
        while True:
            await self.beat()
            self._changed.clear()
            try:
                async with asyncio.timeout(self._interval):
                    await self._changed.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(CALM)

    async def _listen(self, reader: Reader) -> None:
        while True:
            try:
                records = await reader.read(5.0)
            except LogError as error:
                log.debug("orders cannot be read, trying again", reason=str(error))
                await asyncio.sleep(self._interval)
                continue
            for record in records:
                message = decode(record.value)
                if (
                    isinstance(message, Envelope)
                    and isinstance(message.data, DrainWorker)
                    and message.subject == self._member
                ):
                    order = message.data
                    log.warning("drained: no more work", by=order.by, reason=order.reason)
                    await self._drain()
            await asyncio.sleep(0)


def _seen(seen: WorkerSeen, sight: Sight, now: int) -> WorkerSeen:
    state, stats, running = sight
    return replace(
        seen,
        state=state,
        partitions=stats.partitions,
        slots=stats.slots,
        busy=len(running),
        running=tuple(
            Running(
                invocation.call.instance,
                invocation.operation,
                now - round(seconds * 1000),
                invocation.context.phase,
            )
            for invocation, seconds in running[:TOLD]
        ),
    )
