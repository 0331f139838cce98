"""What a pod does about backups: it tells their instances what they know, and takes them away.

Each partition's backups are read from where they were read last, so most rounds read nothing.
What follows an effect is tried again by the instance itself; here is only what it never heard.
"""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from sagalog.engine.backups import standing
from sagalog.schemas.claims import Backup
from sagalog.schemas.record import Record
from sagalog.schemas.topics import Topics
from sagalog.streams.errors import LogError
from sagalog.streams.history import scan
from sagalog.streams.log import Log, Place
from sagalog.streams.logs import logger
from sagalog.streams.owner import Owner
from sagalog.streams.posting import Post
from sagalog.streams.surroundings import Clock

log_ = logger(__name__)

GRACE = 2_000
"""How old (ms) a backup's newest record is before a pod acts: its caller may be about to."""

AGAIN = 30_000
"""How long (ms) to wait before telling the same once more."""


class Open(NamedTuple):
    """A backup that nothing has taken away; `since` is the stamp of its newest record."""

    backup: Backup
    since: int


class Recovery:
    """Looks after the backups of the partitions that a pod owns."""

    def __init__(self, log: Log, app: str, member: str, clock: Clock) -> None:
        self._log, self._topic, self._clock = log, Topics(app).backups, clock
        self._post = Post(log, Topics(app), None, f"{app}/pod/{member}", clock)
        self._open: dict[int, dict[bytes, Open]] = {}
        self._next: dict[int, int] = {}
        self._told: dict[str, int] = {}

    async def run(self, owners: Mapping[int, Owner], partitions: int, interval: float) -> None:
        """Look after the backups for ever, each `interval` seconds."""
        self._post.partitions = partitions
        while True:
            await asyncio.sleep(interval)
            try:
                await self.sweep(owners)
            except LogError as error:
                log_.warning("backups cannot be looked after, trying again", error=str(error))

    async def sweep(self, owners: Mapping[int, Owner]) -> None:
        """One round over the partitions that act. Raises LogError."""
        acting = [n for n, owner in owners.items() if owner.processor.phase == "acting"]
        for number in [n for n in self._next if n not in acting]:
            del self._next[number], self._open[number]
        await self._read(acting)
        for number in acting:
            for key, open_ in list(self._open.get(number, {}).items()):
                owner = owners.get(number)
                if owner is not None and owner.processor.phase == "acting":
                    await self._look(number, key, open_, owner)

    async def _read(self, numbers: list[int]) -> None:
        places: list[Place] = [(self._topic, number) for number in numbers]
        starts, ends = await self._log.starts(places), await self._log.ends(places)
        ranges = {
            place: (max(self._next.get(place[1], 0), starts[place]), ends[place])
            for place in places
        }
        new = {place: span for place, span in ranges.items() if span[0] < span[1]}
        if new:
            async for record in scan(self._log, new):
                self._take(record)
        for _, number in places:
            self._open.setdefault(number, {})
            self._next[number] = ends[self._topic, number]

    def _take(self, record: Record) -> None:
        known = self._open.setdefault(record.partition, {})
        backup = self._post.decoded(record.value)
        if backup is not None and record.key:
            known[record.key] = Open(backup, record.timestamp)
        elif record.key:
            known.pop(record.key, None)

    async def _look(self, number: int, key: bytes, open_: Open, owner: Owner) -> None:
        backup, now = open_.backup, self._clock()
        state = owner.processor.table.get(backup.instance)
        life = backup.claim.retention or 0
        if now - backup.at > life:
            self._open[number].pop(key)  # the topic lets go of it too
            return
        if now - open_.since < GRACE:
            return
        match standing(backup, state):
            case "done":
                await self._post.tombstone(backup)
                self._told.pop(backup.id, None)
            case "untold":
                await self._tell(backup, now)
            case "unrecorded" if _given_up(backup, now):
                await self._tell(backup, now)
            case _:
                pass

    async def _tell(self, backup: Backup, now: int) -> None:
        if now - self._told.get(backup.id, 0) < AGAIN:
            return
        log_.info("a backup is told of", backup=backup.id, name=backup.claim.name)
        self._told[backup.id] = now
        await self._post.tell(backup)


def _given_up(backup: Backup, now: int) -> bool:
    """Whether its caller has told how it ended, or has had its time: else it may go on."""
    return backup.claim.failed is not None or now - backup.at > backup.claim.lease + GRACE
