"""Who owns a group: a lock on a file beside the log, which the system drops with its process."""

import asyncio
import fcntl
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote
from weakref import WeakSet

from sagalog.streams.errors import LogOwned, LogUnavailable
from sagalog.streams.log import Revoked

TRIES: Final = 5
NONE: Final[frozenset[int]] = frozenset()
PATIENCE: Final = 0.01
"""Seconds between the tries: whoever asks for the holder has the lock for a moment."""


class OwnerLock:
    """The lock of one group on one log; exclusive among processes and within one."""

    def __init__(self, log: Path, group: str) -> None:
        self._path: Final = log.with_name(f"{log.name}.{quote(group, safe='')}.lock")
        self._what: Final = f"{log} (group {group})"
        self._descriptor: int | None = None

    async def acquire(self, member: str) -> None:
        """Take the lock and note in its file who has it. Raises LogOwned."""
        for _ in range(TRIES):
            if self._lock(fcntl.LOCK_EX):
                self._sign(member)
                HELD.add(self)
                return
            await asyncio.sleep(PATIENCE)
        message = f"{self._what} is owned by {self._signature()}"
        raise LogOwned(f"{message}. Stop that process, or share the work on Kafka")

    def holder(self) -> str | None:
        """Who has the lock now."""
        if not self._path.exists():
            return None
        if self._lock(fcntl.LOCK_SH):
            self.forget()
            return None
        return self._signature()

    def release(self) -> None:
        """Let others have it."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            self.forget()

    def forget(self) -> None:
        """Close the lock's file.

        This drops the lock; but in the child of a fork it leaves it to the parent.
        """
        HELD.discard(self)
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None

    def _lock(self, kind: int) -> bool:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            message = f"The lock {self._path} cannot be opened ({error.strerror})"
            raise LogUnavailable(f"{message}. Give this user write access to it") from error
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def _sign(self, member: str) -> None:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        signature = (
            f"pid {os.getpid()} (member {member}, host {socket.gethostname()}) since {since}"
        )
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, signature.encode(), 0)

    def _signature(self) -> str:
        return self._path.read_text(errors="replace").strip() or "a process that just took it"


HELD: Final["WeakSet[OwnerLock]"] = WeakSet()


def _forget_all() -> None:
    for lock in list(HELD):
        lock.forget()


# A forked child would else keep its parent's lock alive after the parent's death.
os.register_at_fork(after_in_child=_forget_all)


class FileMembership:
    """The `Membership` of the one process that owns a group."""

    def __init__(self, lock: OwnerLock, partitions: frozenset[int], revoked: Revoked) -> None:
        self._lock = lock
        self._partitions = partitions
        self._revoked = revoked

    async def leave(self) -> None:
        """Give up what is held and let another process own it."""
        partitions, self._partitions = self._partitions, NONE
        try:
            if partitions:
                await self._revoked(partitions)
        finally:
            self._lock.release()
