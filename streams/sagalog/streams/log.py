"""The seam to the log: what Kafka and the embedded log both are to the rest of sagalog.

A place is a topic and a partition. Appends to one place keep the order of their calls.
Only checkpoints are fenced; everything else needs no fencing, since the log decides.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol

from sagalog.schemas.record import Entry, Record
from sagalog.schemas.topics import TopicSpec

Place = tuple[str, int]


class Reader(Protocol):
    """Reads any set of places, each from its own position. For one task at a time."""

    def watch(self, place: Place, offset: int) -> None:
        """Read `place` from `offset` on; a place that is watched already moves there."""
        ...

    def drop(self, place: Place) -> None:
        """Read `place` no more; records of it that were fetched and not returned are lost."""
        ...

    def pause(self, place: Place) -> None:
        """Return nothing of `place` until `resume`; its position is kept."""
        ...

    def resume(self, place: Place) -> None:
        """Undo `pause`."""
        ...

    async def read(self, timeout: float) -> list[Record]:
        """The next records, at once when there are any, else [] after `timeout` seconds.

        Per place in offset order without gaps other than those of the log itself.
        Raises OffsetLost for a place whose position the log does not hold, and
        LogUnavailable only for what retrying cannot mend.
        """
        ...

    async def close(self) -> None:
        """Release what the reader holds; a pending `read` ends with []."""
        ...


class Checkpoints(Protocol):
    """The table of one partition, written by one owner at a time."""

    async def restore(self) -> dict[bytes, bytes]:
        """The newest committed value of every key; deleted keys are absent."""
        ...

    async def write(self, rows: Sequence[Entry]) -> None:
        """Write all rows or none (a value of None deletes).

        Raises Fenced once another owner opened the same table; after any other error the
        partition is taken anew.
        """
        ...

    async def close(self) -> None:
        """Release what it holds; writes no more."""
        ...


class Membership(Protocol):
    """This process as a member of the group that shares an app's partitions."""

    async def leave(self) -> None:
        """Leave now, so that the others need not wait for a timeout."""
        ...


Assigned = Callable[[frozenset[int]], Awaitable[None]]
"""Called with the partitions that this member now owns, all of them, and may then take."""

Revoked = Callable[[frozenset[int]], Awaitable[None]]
"""Called with the partitions that this member must give up; they move when it returns."""


class Log(Protocol):
    """A set of topics on Kafka, or in a file, or in memory."""

    @property
    def identity(self) -> str:
        """Which log it is: the same wherever it is reached as here, also while it is away.

        A log in memory has one that no other process ever has.
        """
        ...

    async def open(self) -> None:
        """Connect. Raises LogUnavailable with a sentence that says what to do."""
        ...

    async def close(self) -> None:
        """Flush what was appended and disconnect."""
        ...

    def append(self, topic: str, partition: int, entries: Sequence[Entry]) -> Awaitable[int]:
        """Append all entries, in order; the result is the first one's offset, once durable.

        Appends that were called while another of the same place is under way travel
        together. The awaitable may be ignored: errors then show in the log's own logging.
        Raises (when awaited) RecordTooLarge, TopicMissing or LogUnavailable.
        """
        ...

    def reader(self) -> Reader:
        """A new reader that watches nothing yet."""
        ...

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises TopicMissing."""
        ...

    async def largest(self, topic: str) -> int:
        """The most bytes that a record of the topic may have, key and frame included."""
        ...

    async def ends(self, places: Collection[Place]) -> dict[Place, int]:
        """The offset that the next record of each place will get."""
        ...

    async def starts(self, places: Collection[Place]) -> dict[Place, int]:
        """The first offset that each place still holds."""
        ...

    async def committed(self, group: str, places: Collection[Place]) -> dict[Place, int]:
        """The group's committed offsets; a place that has none is absent."""
        ...

    async def commit(self, group: str, offsets: Mapping[Place, int]) -> None:
        """Commit for a group that has no members (DESIGN, section 5)."""
        ...

    async def trim(self, offsets: Mapping[Place, int]) -> None:
        """Delete the records of each place below its offset."""
        ...

    async def checkpoints(self, topic: str, partition: int) -> Checkpoints:
        """Open a partition's table, which fences every older owner's writes to it."""
        ...

    async def table(self, topic: str, partition: int) -> dict[bytes, bytes]:
        """A partition's table as its last checkpoint left it, for reading: this fences nobody."""
        ...

    async def join(
        self, group: str, topic: str, member: str, assigned: Assigned, revoked: Revoked
    ) -> Membership:
        """Join the group that shares the partitions of `topic`.

        `member` is the pod's stable name: one that died and comes back under the same
        name has its partitions again at once. Raises LogOwned where the log admits one
        owner only and another process is it.
        """
        ...

    async def create(self, specs: Sequence[TopicSpec]) -> list[str]:
        """Create the topics that are missing; the names of those created."""
        ...

    async def describe(self, topics: Collection[str]) -> dict[str, TopicSpec]:
        """The topics as they are, settings at least as far as TopicSpec names them.

        Missing ones are absent.
        """
        ...
