"""What a client says for those who look after an app."""

from collections.abc import Mapping
from itertools import count
from typing import Any

from sagalog.engine import Limit, Operation
from sagalog.schemas.definition import Priority
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Entry
from sagalog.schemas.requests import Purge
from sagalog.schemas.topics import COMPENSATIONS, Topics
from sagalog.streams.limiting import Limiting
from sagalog.streams.log import Log, Place
from sagalog.streams.pausing import Hold, Pauser, holds, read_pauses
from sagalog.streams.status import Observer, Status
from sagalog.streams.surroundings import Clock, Token


class OperatingVerbs:
    """The part of `Client` that is about pauses, limits, purges, and how the app stands."""

    name: str
    _log: Log
    _topics: Topics
    _partitions: int
    _source: str
    _clock: Clock
    _token: Token
    _pauser: Pauser
    _limiting: Limiting
    _observer: Observer | None

    def _letter(self, instance: str, lane: str, request: Any, id: str) -> tuple[Place, Entry]:
        raise NotImplementedError

    async def set_limit(
        self,
        operation: Operation[..., Any] | str,
        limit: Limit | None,
        *,
        key: str | None = None,
        by: str = "",
    ) -> None:
        """Limit an operation from now on; returns when that is durable in the log.

        `key` is the tenant or value whose calls alone are meant; a limit for one key goes
        before the one for all. None takes back what was set, and what the operation declares
        holds again. Raises DeclarationError where it declares none: then nothing asks.
        """
        await self._limiting.set(operation, limit, key, by, self._source)

    async def pause(
        self,
        operation: Operation[..., Any] | str = "",
        *,
        lane: str = "",
        reason: str = "",
        by: str = "",
    ) -> None:
        """Hold an operation, or a lane, until it is resumed; returns when that is durable.

        No call of the operation begins any more; what runs may end. A lane is not read.
        After a LogError say it again: it may hold in some partitions.
        """
        await self._pauser.pause(operation, lane, reason, by, self._source)

    async def resume(
        self,
        operation: Operation[..., Any] | str = "",
        *,
        lane: str = "",
        reason: str = "",
        by: str = "",
    ) -> None:
        """Let an operation, or a lane, go on, whether a person or a breaker holds it."""
        await self._pauser.resume(operation, lane, reason, by, self._source)

    async def pauses(self) -> list[Hold]:
        """What is held now, by people and by breakers, as the log says."""
        return holds(await read_pauses(self._log, self.name))

    async def purge(
        self,
        lane: Priority,
        reason: str = "",
        *,
        by: str = "",
        ends: Mapping[Place, int] | None = None,
    ) -> dict[Place, int]:
        """Let what waits in a lane end as cancelled; returns when the orders are durable.

        What waits now, or what lies below the `ends` that somebody has counted up to. The result
        says up to which offset of each partition. What has been taken in goes on, and so does
        what a saga waits for: cancel the saga. Whoever waits for one that is purged gets
        Cancelled.
        """
        places = [(self._topics.lane(lane), number) for number in range(self._partitions)]
        ends = dict(await self._log.ends(places) if ends is None else ends)
        through = COMPENSATIONS if lane == "high" else "high"  # its own lane would come too late
        for (_, number), end in ends.items():
            subject = self._subject(f"purge-{self._token(16)}", number)
            request = Purge(lane, end, reason, by or self._source)
            place, entry = self._letter(subject, through, request, subject)
            await self._log.append(*place, [entry])
        return ends

    def _subject(self, name: str, partition: int) -> str:
        """An id that belongs to a partition, for what is said to its owner."""
        names = (f"{name}-{n}" for n in count())
        return next(n for n in names if partition_of(n.encode(), self._partitions) == partition)

    async def status(self) -> Status:
        """How the app stands: lanes, operations, tenants. Rates are those since the last call.

        The first call reads all of the app's events, each other one what is new. Between them
        the client holds what it has read: about 2 KB for each instance that is not forgotten.
        """
        if self._observer is None:
            self._observer = Observer(self._log, self.name, clock=self._clock)
        return await self._observer.look()
