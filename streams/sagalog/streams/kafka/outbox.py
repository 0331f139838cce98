"""Appends of all places, sent in bunches that form by themselves.

Whatever comes while a bunch of its place is under way becomes the next bunch: an append
travels at once when little is to do, and many share a request under load. The appends of one
turn of the event loop always travel together. A place has one bunch under way, and it is sent
again unchanged until it is answered: so order is kept, and nothing is doubled or lost.
"""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from functools import partial
from math import inf

from sagalog.schemas.record import Entry
from sagalog.streams.errors import LogError, LogUnavailable, RecordTooLarge
from sagalog.streams.kafka.batches import BATCH_OVERHEAD, Identity, portions, size_of, too_large
from sagalog.streams.kafka.bunches import Call, Queue
from sagalog.streams.kafka.cluster import Cluster
from sagalog.streams.kafka.codes import PASSING, TOO_LARGE, Code, check, name_of
from sagalog.streams.kafka.library import InitProducerId
from sagalog.streams.kafka.produce import Ack, produce
from sagalog.streams.kafka.retry import NOTICE, pause_after, persist
from sagalog.streams.log import Place
from sagalog.streams.logs import logger

_LANE = "appends"
_NO_TRANSACTIONS = 2**31 - 1  # the timeout of transactions that are never begun
_SILENCE = 1.0  # seconds without an answer after which closing waits no longer
_PATIENCE = 0.6  # of the request's timeout: slow replicas are answered before silence counts
_log = logger(__name__)


class Outbox:
    """Takes appends and sends them; one for a log."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._limit = cluster.settings.max_batch_bytes
        self._patience = cluster.settings.request_timeout * _PATIENCE
        self._queues: dict[Place, Queue] = {}
        self._due: list[Queue] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._identity: Identity | None = None
        self._identifying = asyncio.Lock()
        self._noticed = 0.0
        self._answers = 0
        self._closed = False

    def append(self, place: Place, entries: Sequence[Entry]) -> asyncio.Future[int]:
        """Append all entries; the result is the first one's offset."""
        if not entries:
            raise ValueError("an append without entries has no offset")
        size = sum(map(size_of, entries))
        if self._closed:
            return self._failed(LogUnavailable("this log is closed"))
        if size + BATCH_OVERHEAD > self._limit:
            return self._append_in_portions(place, entries)
        return self._append(place, tuple(entries), size)

    async def close(self) -> None:
        """Send what waits as long as brokers answer, `close_timeout` at most; the rest fails."""
        self._closed = True
        until, before = time.monotonic() + self._cluster.settings.close_timeout, -1
        while self._answers != before and (left := until - time.monotonic()) > 0:
            before = self._answers
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, _SILENCE)):
                    await self._drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for queue in self._queues.values():
            queue.abandon(LogUnavailable("the log was closed before the brokers answered"))

    async def _drain(self) -> None:
        while self._tasks or self._due:
            await asyncio.wait([*self._tasks, asyncio.create_task(asyncio.sleep(0))])

    def _append(self, place: Place, entries: tuple[Entry, ...], size: int) -> asyncio.Future[int]:
        queue = self._queues.get(place)
        if queue is None:
            queue = self._queues[place] = Queue(place)
        offset: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        queue.add(Call(entries, size, offset))
        if not queue.busy:
            self._schedule(queue)
        return offset

    def _append_in_portions(self, place: Place, entries: Sequence[Entry]) -> asyncio.Future[int]:
        try:
            found = portions(entries, self._limit, self._cluster.settings.max_record_bytes)
        except RecordTooLarge as error:
            return self._failed(error)
        offsets = [self._append(place, tuple(part), sum(map(size_of, part))) for part in found]
        return asyncio.ensure_future(_first(offsets))

    def _failed(self, error: LogError) -> asyncio.Future[int]:
        offset: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        offset.set_exception(error)
        _log.error("append refused", why=str(error))
        offset.exception()  # logged, should nobody await it
        return offset

    def _schedule(self, queue: Queue) -> None:
        """Send the queue's next bunch at the end of this turn of the loop."""
        queue.busy = True
        if not self._due:
            asyncio.get_running_loop().call_soon(self._flush)
        self._due.append(queue)

    def _flush(self) -> None:
        due, self._due = self._due, []
        flights: dict[int, list[Queue]] = {}
        for queue in due:
            leader = self._cluster.leader(queue.place)
            if leader is None or queue.identity is None:
                self._spawn(self._prepare(queue))
            else:
                flights.setdefault(leader, []).append(queue)
        for leader, queues in flights.items():
            self._spawn(self._send(leader, queues))

    async def _send(self, leader: int, queues: list[Queue]) -> None:
        """One request, and what follows from its answer."""
        waiting = {queue.place: queue for queue in queues}
        batches = {queue.place: queue.payload(self._limit) for queue in queues}
        try:
            acks = await self._cluster.send(leader, produce(batches, self._patience), _LANE)
        except LogUnavailable as error:
            for queue in queues:
                self._spawn(self._again(queue, str(error)))
            return
        for ack in acks:
            self._answered(waiting.pop(ack.place), ack)
        for queue in waiting.values():
            self._spawn(self._again(queue, "the broker did not answer for this partition"))

    def _answered(self, queue: Queue, ack: Ack) -> None:
        self._answers += 1
        if ack.code == Code.NONE:
            queue.settle(ack.offset)
        elif ack.code in PASSING:
            self._spawn(self._again(queue, name_of(ack.code)))
            return
        elif ack.code not in TOO_LARGE:
            topic, partition = queue.place
            queue.fail(LogUnavailable(f"{topic}/{partition} answers {name_of(ack.code)}"))
        elif not queue.halve():
            queue.fail(too_large(queue.size, f"the max.message.bytes of {queue.place[0]}"))
        self._next(queue)

    def _next(self, queue: Queue) -> None:
        if queue.empty:
            queue.busy = False
        else:
            self._schedule(queue)

    async def _again(self, queue: Queue, why: str) -> None:
        """Send the same bunch once more, after a pause that grows with its age."""
        age = time.monotonic() - queue.since
        if age > NOTICE and time.monotonic() - self._noticed > NOTICE:
            self._noticed = time.monotonic()
            _log.warning("appends wait for the brokers", seconds=round(age), why=why)
        await asyncio.sleep(pause_after(age))
        with suppress(LogUnavailable):
            await self._cluster.refresh()
        self._schedule(queue)

    async def _prepare(self, queue: Queue) -> None:
        """Find the leader of the queue's place, and be known as a producer."""
        doing = f"appending to {queue.place[0]}/{queue.place[1]}"
        try:
            await persist(lambda: self._cluster.locate(queue.place), timeout=inf, doing=doing)
            if queue.identity is None:
                identify = partial(self._identify, queue.disowned)
                queue.identify(await persist(identify, timeout=inf, doing=doing))
        except LogError as error:
            queue.abandon(error)
        self._next(queue)

    async def _identify(self, disowned: Identity | None) -> Identity:
        """Be the producer that all places share, unless this place has had enough of it."""
        async with self._identifying:
            if self._identity in (None, disowned):
                answer = await self._cluster.send_any(InitProducerId(None, _NO_TRANSACTIONS))
                check(answer.error_code, "becoming a producer")
                self._identity = Identity(answer.producer_id, answer.producer_epoch)
            assert self._identity is not None
            return self._identity

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _first(offsets: list[asyncio.Future[int]]) -> int:
    return (await asyncio.gather(*offsets))[0]
