"""Copying the WAL back into the file, beside the commits."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import Final

from sagalog.streams.embedded.requests import Commit
from sagalog.streams.embedded.writer import Writer

COPY: Final = "PRAGMA wal_checkpoint(PASSIVE)"

COMMITS: Final = 500
BYTES: Final = 4 << 20
"""After so much a WAL of some 4 MB is copied."""


class WalCheckpoints:
    """Copies in a thread with a connection of its own, where commits need not wait for it.

    (SQLite's own way is to copy inside of every so many-th commit.) What is committed
    meanwhile, a few pages, is copied by the writer itself; only then the WAL starts anew.
    """

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        threads: Executor,
        writer: Writer,
    ) -> None:
        self._connect = connect
        self._threads = threads
        self._writer = writer
        self._commits = 0
        self._bytes = 0
        self._running: asyncio.Future[bool] | None = None

    def committed(self, commit: Commit) -> None:
        """Count a commit, and begin when there are enough."""
        self._commits += 1
        self._bytes += sum(append.size for append in commit.appends)
        if self._running is None and (self._commits >= COMMITS or self._bytes >= BYTES):
            self._commits = self._bytes = 0
            self._running = asyncio.get_running_loop().run_in_executor(self._threads, self._copy)
            self._running.add_done_callback(self._copied)

    async def stop(self) -> None:
        """Wait for one that is under way."""
        if self._running:
            await asyncio.wait([self._running])

    def _copy(self) -> bool:
        connection = self._connect()
        try:
            busy, pages, copied = connection.execute(COPY).fetchone()
        finally:
            connection.close()
        return not busy and pages == copied

    def _copied(self, done: "asyncio.Future[bool]") -> None:
        self._running = None
        # Whatever hinders it now, the next one will try again: the WAL is as safe.
        if done.cancelled() or done.exception() or not done.result():
            return
        self._writer.between(copy_rest)


def copy_rest(connection: sqlite3.Connection) -> None:
    """Copy what came during a copy; then the next commit starts the WAL anew."""
    with suppress(sqlite3.Error):
        connection.execute(COPY).fetchall()
