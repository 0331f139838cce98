"""From what SQLite reports to a sentence that says which file and what to do."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sagalog.streams.errors import LogUnavailable

SENTENCES: dict[int, str] = {
    sqlite3.SQLITE_FULL: (
        "The disk that holds {path} is full; nothing of this write was kept. "
        "Free some space: appends work again at once"
    ),
    sqlite3.SQLITE_READONLY: (
        "{path} cannot be written. Give this user write access to the file and to its "
        "directory, where SQLite keeps {name}-wal and {name}-shm"
    ),
    sqlite3.SQLITE_PERM: "{path} may not be opened. Give this user access to it",
    sqlite3.SQLITE_CANTOPEN: (
        "{path} cannot be opened. Check that it is a file, and that this user may write to it "
        "and to its directory"
    ),
    sqlite3.SQLITE_BUSY: (
        "{path} stays locked by another process. Look for one that was stopped in the middle "
        "of a write (`fuser {path}` lists those that have it open)"
    ),
    sqlite3.SQLITE_CORRUPT: (
        "{path} is damaged. Stop every process that uses it, keep a copy of it with its -wal, "
        "and try `sqlite3 {name} .recover`, or go back to a backup"
    ),
    sqlite3.SQLITE_NOTADB: (
        "{path} is not a log of sagalog, nor any SQLite file. Choose another path"
    ),
    sqlite3.SQLITE_IOERR: (
        "Reading or writing {path} failed. Check the disk (`dmesg`) and its limits (`ulimit -f`)"
    ),
}


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another process holds the write lock."""
    return primary_code(error) == sqlite3.SQLITE_BUSY


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's result code without its extension; 0 for errors of Python's own module."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def unavailable(path: Path, error: sqlite3.Error) -> LogUnavailable:
    """The sentence for an error of SQLite's."""
    sentence = SENTENCES.get(primary_code(error), "{path} cannot be used")
    return LogUnavailable(f"{sentence.format(path=path, name=path.name)} (SQLite: {error})")


@contextmanager
def explained(path: Path) -> Generator[None]:
    """Let LogUnavailable take the place of SQLite's errors."""
    try:
        yield
    except sqlite3.Error as error:
        raise unavailable(path, error) from error
