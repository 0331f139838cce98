"""What an owner holds of a log in memory: tables under its epoch, and its group."""

from collections.abc import Sequence

from sagalog.schemas.record import Entry
from sagalog.streams.embedded.memory_store import MemoryPlace, MemoryStore
from sagalog.streams.embedded.ownership import NONE
from sagalog.streams.errors import Fenced
from sagalog.streams.log import Revoked


class MemoryCheckpoints:
    """`Checkpoints` of one place. Whoever opens them later fences this one."""

    def __init__(self, place: MemoryPlace) -> None:
        self._place = place
        place.epoch += 1
        self._epoch = place.epoch

    async def restore(self) -> dict[bytes, bytes]:
        """The newest value of every key."""
        return dict(self._place.table)

    async def write(self, rows: Sequence[Entry]) -> None:
        """Write all rows or none. Raises Fenced."""
        if self._epoch != self._place.epoch:
            topic, partition = self._place.place
            raise Fenced(f"{topic}/{partition} was opened by a newer owner; this one may not write")
        if any(row.key is None for row in rows):
            raise ValueError("A row of a checkpoint needs a key")
        for key, value, _ in rows:
            if key is not None and value is not None:
                self._place.table[key] = value
            elif key is not None:
                self._place.table.pop(key, None)

    async def close(self) -> None:
        """Nothing is held."""


class MemoryMembership:
    """The `Membership` of the one log that owns a group."""

    def __init__(
        self,
        store: MemoryStore,
        group: str,
        member: str,
        partitions: frozenset[int],
        revoked: Revoked,
    ) -> None:
        self._store = store
        self._group = group
        self._partitions = partitions
        self._revoked = revoked
        self._owns = True
        store.owners[group] = f"member {member} of this process"

    async def leave(self) -> None:
        """Give up what is held and let another own it."""
        partitions, self._partitions = self._partitions, NONE
        try:
            if partitions:
                await self._revoked(partitions)
        finally:
            self.release()

    def release(self) -> None:
        """Let another own it."""
        if self._owns:
            self._owns = False
            del self._store.owners[self._group]
