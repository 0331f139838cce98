"""Backups on this machine's disk while a log is away: a file for each app on each log.

Each line is one: a checksum and JSON. It is durable when `write` returns. Several processes may
write and publish at once. What a kill has cut short, or a disk has spoiled, is passed over and
counted; nothing behind it is lost.
"""

import fcntl
import os
import zlib
from collections.abc import Generator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import orjson

from sagalog.engine import SagalogError


class SpoolError(SagalogError):
    """A backup cannot be written to this machine's disk either; the message says why."""


class Held(NamedTuple):
    """What a file holds: the newest record of each id, None where it was taken away again.

    `refused`: how many of them the log can never take.
    """

    path: Path
    records: dict[str, bytes | None]
    torn: int
    refused: int = 0


class Spool:
    """The spool of one app on one log in `folder`. Its calls block: for a thread, not for a loop.

    `log` is the log's identity: what is written for one log is never handed to another.
    """

    def __init__(self, folder: Path, app: str, log: str) -> None:
        digest = blake2b(log.encode(), digest_size=8).hexdigest()
        self.folder, self._name = folder, f"{app}.{digest}"
        self._path = folder / f"{self._name}.spool"

    def write(self, id: str, record: bytes | None) -> None:
        """Append a record, or that it is taken away; durable on return. Raises SpoolError."""
        said = orjson.dumps([id, None if record is None else record.decode()])
        line = b"%08x %s\n" % (zlib.crc32(said), said)
        try:
            with self._locked("lock"):
                self._append(line)
        except OSError as error:
            raise SpoolError(
                f"the backup {id} cannot be written to {self._path}: {error.strerror or error}. "
                "Make room or give another folder by SAGALOG_SPOOL"
            ) from error

    def check(self) -> None:
        """See whether it could be written to; makes nothing. Raises SpoolError."""
        folder = self.folder.absolute()
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            raise SpoolError(
                f"no backup could be written to {folder} while the log is away: {there} is not "
                "for this process to write to. Give another folder by SAGALOG_SPOOL"
            )

    def _append(self, line: bytes) -> None:
        new = not self._path.exists()
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line  # behind what a kill, or a full disk, has cut short
            try:
                while line:
                    line = line[os.write(descriptor, line) :]
                os.fsync(descriptor)
                if new:
                    self._sync_folder()
            except OSError:
                with suppress(OSError):  # what is not acknowledged is not published either
                    os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)

    def _sync_folder(self) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def _locked(self, what: str, *, wait: bool = True) -> Generator[bool]:
        """Hold a lock between processes; whether it is held, where not to wait for it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self._name}.{what}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True
        finally:
            os.close(descriptor)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to publish, at a glance."""
        return not self._path.exists() and not any(self._taken())

    def _taken(self) -> list[Path]:
        return sorted(self.folder.glob(f"{self._name}.{'[0-9]' * 9}.out"))

    @contextmanager
    def publishing(self) -> Generator[list[Held] | None]:
        """The files to publish, oldest first; None while another process does so.

        `done` removes one. What is not removed is met again, here or in the next process.
        """
        if self.empty:
            yield []
            return
        with self._locked("publishing", wait=False) as mine:
            if not mine:
                yield None
                return
            self._take()
            yield [read(path) for path in self._taken()]

    def _take(self) -> None:
        """Set the file aside: who writes meanwhile begins a new one."""
        with self._locked("lock"):
            if self._path.exists():
                used = self.folder.glob(f"{self._name}.{'[0-9]' * 9}.*")
                number = max((int(path.name.rsplit(".", 2)[1]) for path in used), default=0) + 1
                self._path.rename(self.folder / f"{self._name}.{number:09d}.out")
                self._sync_folder()

    def done(self, held: Held) -> Path | None:
        """What can be of the file stands in the log: it goes, or is set aside where not all does.

        Returns where it is then.
        """
        kept = None
        if held.torn or held.refused:
            kept = held.path.with_suffix(".refused" if held.refused else ".torn")
            held.path.rename(kept)
        else:
            held.path.unlink()
        self._sync_folder()
        return kept


def read(path: Path) -> Held:
    """What a spool file holds."""
    records: dict[str, bytes | None] = {}
    torn = 0
    for line in path.read_bytes().split(b"\n"):
        if not line:
            continue
        entry = _entry(line)
        if entry is None:
            torn += 1
        else:
            records[entry[0]] = entry[1]
    return Held(path, records, torn)


def _entry(line: bytes) -> tuple[str, bytes | None] | None:
    """The id and record of a line; None where it is not whole."""
    checksum, _, said = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(said):
        return None
    try:
        id_, record = orjson.loads(said)
    except ValueError:
        return None
    return id_, None if record is None else record.encode()
