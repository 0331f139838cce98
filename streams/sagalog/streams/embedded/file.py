"""Opening a log's file: checks, connections, the first creation of its tables."""

import sqlite3
import time
from pathlib import Path
from typing import Final

from sagalog.streams.embedded.failures import explained, is_busy
from sagalog.streams.embedded.mounts import refuse_network
from sagalog.streams.embedded.schema import APPLICATION_ID, TABLES, VERSION
from sagalog.streams.errors import LogUnavailable

_PAUSE: Final = 0.01
"""Seconds before a locked new file is tried again."""


class LogFile:
    """One SQLite file in WAL mode. Opens connections; each is for one thread at a time."""

    def __init__(self, path: Path, *, fsync: bool, lock_timeout: float) -> None:
        self.path: Final = path
        self.wal: Final = path.with_name(f"{path.name}-wal")
        self._fsync = fsync
        self._lock_timeout = lock_timeout

    def prepare(self) -> None:
        """Make the file a log, unless it is one."""
        self._check_directory()
        with explained(self.path):
            connection = self.connect()
            try:
                self._initialise(connection)
            finally:
                connection.close()

    def connect(self, *, wait: bool = True) -> sqlite3.Connection:
        """A new connection; without `wait` a locked file is an error at once."""
        connection = sqlite3.connect(
            self.path,
            timeout=self._lock_timeout if wait else 0,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            # With FULL a commit returns, and is visible to anyone, after the fsync of the WAL.
            connection.execute(f"PRAGMA synchronous={'FULL' if self._fsync else 'NORMAL'}")
            # The pages are copied back by `WalCheckpoints`, beside the commits.
            connection.execute("PRAGMA wal_autocheckpoint=0")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _check_directory(self) -> None:
        directory = self.path.parent
        if not directory.is_dir():
            message = f"{self.path} cannot be opened: there is no directory {directory}. Create it"
            raise LogUnavailable(f"{message}, or choose another path")
        refuse_network(self.path)

    def _initialise(self, connection: sqlite3.Connection) -> None:
        if self._into_wal(connection) != "wal":
            raise LogUnavailable(f"{self.path} cannot have a WAL here; choose a local disk")
        if self._is_log_now(connection):
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have come first.
            if not self._is_log(connection):
                for statement in TABLES.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _into_wal(self, connection: sqlite3.Connection) -> str:
        """The file's journal mode, WAL if it can be.

        SQLite says at once that a file is locked, however long it was told to wait, where two
        processes that meet at a new file would wait for each other.
        """
        until = time.monotonic() + self._lock_timeout
        while True:
            try:
                return str(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0])
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() > until:
                    raise
            time.sleep(_PAUSE)

    def _is_log_now(self, connection: sqlite3.Connection) -> bool:
        """Whether it is a log, in one snapshot: another process may just be creating it."""
        connection.execute("BEGIN")
        try:
            return self._is_log(connection)
        finally:
            connection.execute("COMMIT")

    def _is_log(self, connection: sqlite3.Connection) -> bool:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if application == APPLICATION_ID and version == VERSION:
            return True
        if application == APPLICATION_ID:
            message = f"{self.path} was written by another version of sagalog (format {version}"
            raise LogUnavailable(f"{message}, this one reads {VERSION}). Use that version")
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            message = f"{self.path} is an SQLite file of something else"
            raise LogUnavailable(f"{message}, not a log of sagalog. Choose another path")
        return False
