"""Does to the log what the processors want: appends in order, and what follows when durable."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from sagalog.engine.effects import Append, Then
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Entry
from sagalog.schemas.topics import Topics
from sagalog.streams.errors import LogError
from sagalog.streams.log import Log, Place
from sagalog.streams.logs import logger
from sagalog.streams.owner import Owner

log = logger(__name__)

Acknowledged = Callable[[Owner, list[Then]], None]
Broken = Callable[[Owner, BaseException], None]


class Dispatcher:
    """Appends for the owners of a pod.

    `acknowledged` hears of what is durable, `broken` of an owner whose append failed: it
    takes its partition anew, which is the same code as after any crash.
    """

    def __init__(self, app: str, log: Log, acknowledged: Acknowledged, broken: Broken) -> None:
        self._replies = Topics(app).replies
        self._log, self._acknowledged, self._broken = log, acknowledged, broken
        self._counts: dict[str, int] = {}
        self._elsewhere: set[asyncio.Task[None]] = set()

    def append(self, owner: Owner, appends: list[Append]) -> None:
        """Append all, those to one place in their order and together."""
        places: dict[Place, tuple[list[Entry], list[Then]]] = {}
        for topic, partition, entry, then in appends:
            if partition is None:
                self._append_elsewhere(owner, topic, entry, then)
                continue
            bunch = places.get((topic, partition))
            if bunch is None:
                bunch = places[topic, partition] = ([], [])
            bunch[0].append(entry)
            if then is not None:
                bunch[1].append(then)
        for place, (entries, thens) in places.items():
            if place[0] == self._replies or place in owner.places:
                future = asyncio.ensure_future(self._log.append(*place, entries))
                future.add_done_callback(partial(self._appended, owner, place[0], thens))
            else:
                self._later(self._append_abroad(owner, place, entries, thens))

    def _appended(
        self,
        owner: Owner,
        topic: str,
        thens: list[Then],
        future: "asyncio.Future[int]",
    ) -> None:
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            if thens:
                self._acknowledged(owner, thens)
        elif topic == self._replies:
            log.warning("a reply was lost; the client asks again", error=str(error))
        else:
            self._broken(owner, error)

    def _later(self, append: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(append)
        self._elsewhere.add(task)
        task.add_done_callback(self._elsewhere.discard)

    async def _append_abroad(
        self, owner: Owner, place: Place, entries: list[Entry], thens: list[Then]
    ) -> None:
        """To another partition or app: its trouble is not this one's, and what is owed waits."""
        topic, number = place
        await patiently(f"append to {topic}", lambda: self._log.append(topic, number, entries))
        if thens:
            self._acknowledged(owner, thens)

    def _append_elsewhere(self, owner: Owner, topic: str, entry: Entry, then: Then | None) -> None:
        count = self._counts.get(topic)
        if count is None:
            self._later(self._append_unknown(owner, topic, entry, then))
            return
        number = partition_of(entry.key or b"", count)
        self.append(owner, [Append(topic, number, entry, then)])

    async def _append_unknown(
        self, owner: Owner, topic: str, entry: Entry, then: Then | None
    ) -> None:
        """The topic of another app: nothing is lost while it is not there yet."""
        count = await patiently(f"append to {topic}", lambda: self._log.partitions(topic))
        self._counts[topic] = count
        self._append_elsewhere(owner, topic, entry, then)

    async def close(self) -> None:
        """Stop waiting for topics that are not there."""
        for task in list(self._elsewhere):
            task.cancel()
        await asyncio.gather(*self._elsewhere, return_exceptions=True)


async def patiently(what: str, attempt: Callable[[], Awaitable[Any]]) -> Any:
    """Try until it works, waiting up to 5 s between; every failure is shown."""
    wait = 0.05
    while True:
        try:
            return await attempt()
        except LogError as error:
            log.warning(f"cannot {what}, trying again", error=str(error), seconds=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, 5.0)
