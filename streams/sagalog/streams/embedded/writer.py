"""Group commit: everything that waits goes into one transaction."""

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from sagalog.streams.embedded.failures import is_busy, unavailable
from sagalog.streams.embedded.insertion import insert
from sagalog.streams.embedded.pace import Pace
from sagalog.streams.embedded.requests import Append, Commit, Job, Request
from sagalog.streams.embedded.tail import Tail
from sagalog.streams.errors import LogError

T = TypeVar("T")

logger: Final = logging.getLogger(__name__)

BATCH_BYTES: Final = 1 << 20
"""A transaction takes no more once it has these, so that the event loop is not held for long."""

RETRY: Final = 0.0005
"""Seconds until the next try while another process writes."""


class Writer:
    """Queues requests and commits them in groups; one transaction at a time.

    Requests made in one turn of the event loop are committed together at the start of the
    next; those made during a commit in a thread are the next group.
    """

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        tail: Tail,
        threads: Executor,
        committed: Callable[[Commit], None],
        *,
        lock_timeout: float,
    ) -> None:
        self._path = path
        self._connection = connection
        self._tail = tail
        self._threads = threads
        self._committed = committed
        self._lock_timeout = lock_timeout
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Request] = deque()
        self._scheduled = False
        self._in_thread = False
        self._between: list[Callable[[sqlite3.Connection], None]] = []
        self._waiting_since: float | None = None
        self._pace = Pace()

    def append(self, request: Append) -> None:
        """Queue an append."""
        self._queue.append(request)
        if not self._scheduled:
            self._schedule()

    def run(self, work: Callable[[sqlite3.Connection], T], weight: int = 0) -> "asyncio.Future[T]":
        """Queue other work; see `Job`. `weight` is about how many bytes it writes."""
        job = Job(work, weight, self._loop.create_future())
        self._queue.append(job)
        if not self._scheduled:
            self._schedule()
        return job.future

    def between(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Do `work` outside of any transaction, as soon as none is under way."""
        if self._in_thread:
            self._between.append(work)
        else:
            work(self._connection)

    async def drain(self) -> None:
        """Wait until everything queued so far is settled."""
        if self._scheduled:
            with suppress(LogError):  # those who wait for what failed hear of it
                await self.run(lambda _: None)

    def _schedule(self) -> None:
        self._scheduled = True
        self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        batch, weight = self._gather()
        if not self._pace.on_loop(weight):
            running = self._loop.run_in_executor(self._threads, self._transact, batch)
            running.add_done_callback(lambda done: self._finish(batch, done.result))
            self._in_thread = True
            return
        began = time.perf_counter()
        self._finish(batch, lambda: self._transact(batch))
        self._pace.took(time.perf_counter() - began)

    def _gather(self) -> tuple[list[Request], int]:
        batch: list[Request] = []
        weight = 0
        while self._queue and weight < BATCH_BYTES:
            request = self._queue.popleft()
            weight += request.size if isinstance(request, Append) else request.weight
            batch.append(request)
        return batch, weight

    def _transact(self, batch: list[Request]) -> Commit:
        connection, tail = self._connection, self._tail
        connection.execute("BEGIN IMMEDIATE")
        try:
            tail.refresh(connection)
            first = tail.seq
            appends = [request for request in batch if isinstance(request, Append)]
            insert(connection, tail, appends)
            tail.fill_segments(connection)
            for request in batch:
                if isinstance(request, Job):
                    request.run(connection)
            connection.execute("COMMIT")
        except BaseException:
            tail.forget()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return Commit(first, tail.seq, appends)

    def _finish(self, batch: list[Request], outcome: Callable[[], Commit]) -> None:
        self._in_thread = False
        while self._between:
            self._between.pop()(self._connection)
        try:
            commit = outcome()
        except sqlite3.Error as error:
            if is_busy(error) and self._may_wait():
                self._queue.extendleft(reversed(batch))
                self._loop.call_later(RETRY, self._flush)
                return
            self._reject(batch, unavailable(self._path, error))
        except Exception as error:  # noqa: BLE001 - a bug in a job; the waiters must hear of it
            self._reject(batch, error)
        else:
            self._settle(batch, commit)
        self._waiting_since = None
        self._scheduled = False
        if self._queue:
            self._schedule()

    def _may_wait(self) -> bool:
        if self._waiting_since is None:
            self._waiting_since = self._loop.time()
        return self._loop.time() - self._waiting_since < self._lock_timeout

    def _settle(self, batch: list[Request], commit: Commit) -> None:
        self._committed(commit)
        for request in batch:
            request.settle()

    def _reject(self, batch: list[Request], error: Exception) -> None:
        logger.error("Appends to %s failed: %s", self._path, error)
        for request in batch:
            request.reject(error)
