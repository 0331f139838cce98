"""The parts of an opened file, and how a commit travels between them."""

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Final

from sagalog.streams.embedded.catalogue import Catalogue
from sagalog.streams.embedded.failures import explained
from sagalog.streams.embedded.feed import FileFeed
from sagalog.streams.embedded.file import LogFile
from sagalog.streams.embedded.notice import Notice
from sagalog.streams.embedded.reader import EmbeddedReader
from sagalog.streams.embedded.requests import Commit
from sagalog.streams.embedded.retention import Retention
from sagalog.streams.embedded.rows import Rows
from sagalog.streams.embedded.tail import Tail
from sagalog.streams.embedded.wal import WalCheckpoints
from sagalog.streams.embedded.writer import Writer
from sagalog.streams.errors import LogUnavailable


class Session:
    """From `open` to `close`, for the event loop and the process that opened it."""

    def __init__(self, file: LogFile, clock: Callable[[], int], *, lock_timeout: float) -> None:
        self.pid: Final = os.getpid()
        # One thread copies the WAL; the other commits, when the disk is too slow for the loop.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="sagalog")
        with explained(file.path), ExitStack() as opened:
            self._reading = opened.enter_context(closing(file.connect()))
            self._writing = opened.enter_context(closing(file.connect(wait=False)))
            opened.pop_all()
        self.rows: Final = Rows(file.path, self._reading)
        try:
            self.catalogue: Final = Catalogue(self.rows)
        except LogUnavailable:
            self._disconnect()
            raise
        self.writer: Final = Writer(
            file.path,
            self._writing,
            Tail(clock),
            self._threads,
            self._committed,
            lock_timeout=lock_timeout,
        )
        self.retention: Final = Retention(self.writer, self.catalogue, clock)
        self._wal = WalCheckpoints(file.connect, self._threads, self.writer)
        self._notice = Notice(file.wal, self._look)
        self._readers: dict[EmbeddedReader, FileFeed] = {}

    def reader(self) -> EmbeddedReader:
        """A new reader, which sees commits from now on until it is closed."""
        feed = FileFeed(self.rows, self.catalogue.number)
        reader = EmbeddedReader(feed, self._forget)
        self._readers[reader] = feed
        self._notice.start()
        return reader

    async def close(self) -> None:
        """Commit what was appended, end all reads, and let go of the file."""
        await self.retention.stop()
        await self.writer.drain()
        for reader in list(self._readers):
            reader.shut()
        self._notice.close()
        await self._wal.stop()
        loop = asyncio.get_running_loop()
        # The last one to close a log copies its whole WAL.
        await loop.run_in_executor(self._threads, self._disconnect)
        self._threads.shutdown(wait=False)

    def _disconnect(self) -> None:
        self._writing.close()
        self._reading.close()

    def _committed(self, commit: Commit) -> None:
        if not commit.appends:
            return
        self._wal.committed(commit)
        self._notice.moved()
        for reader, feed in self._readers.items():
            if feed.committed(commit):
                reader.wake()

    def _look(self) -> bool:
        """Whether others committed something that a reader has not seen."""
        try:
            end = self.rows.end()
        except LogUnavailable:
            # The readers shall meet the error themselves, in `read`.
            end = sys.maxsize
        behind = [reader for reader, feed in self._readers.items() if feed.look(end)]
        for reader in behind:
            reader.wake()
        return bool(behind)

    def _forget(self, reader: EmbeddedReader) -> None:
        self._readers.pop(reader, None)
        if not self._readers:
            self._notice.stop()
