"""What the critical path writes: claims to the lanes, and backups to their topic."""

import asyncio
from dataclasses import replace
from typing import Any, NamedTuple

from sagalog.schemas.claims import Backup, Claim
from sagalog.schemas.codec import decode, encode
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Entry
from sagalog.schemas.replies import Reply
from sagalog.schemas.requests import ReplyTo
from sagalog.schemas.topics import Topics
from sagalog.streams.log import Log, Place
from sagalog.streams.mailbox import Mailbox
from sagalog.streams.surroundings import Clock


class Asked(NamedTuple):
    """A claim on its way: when it is durable, granted or refused, and over."""

    sent: "asyncio.Future[int]"
    started: "asyncio.Future[Reply]"
    outcome: "asyncio.Future[Reply]"


class Post:
    """Writes for one client, or for a pod, to an app's partitions."""

    def __init__(
        self, log: Log, topics: Topics, mailbox: Mailbox | None, source: str, clock: Clock
    ) -> None:
        self.partitions = 0
        self._log, self._topics, self._mailbox = log, topics, mailbox
        self._source, self._clock = source, clock
        self._under_way: set[asyncio.Future[int]] = set()

    def address(self) -> ReplyTo:
        """Where an answer is to go."""
        assert self._mailbox is not None, "who listens has a mailbox"
        return self._mailbox.address()

    def ask(self, claim: Claim, instance: str) -> Asked:
        """Send a claim, and wait for its answers from before it is sent."""
        assert self._mailbox is not None, "who listens has a mailbox"
        assert claim.reply_to is not None, "who listens says where"
        (topic, partition), entry = self._letter(claim, instance, claim.reply_to.request)
        expected = self._mailbox.expect(claim.reply_to, topic, partition, entry, started=True)
        assert expected.started is not None, "it was asked for"
        return Asked(self._append(topic, partition, entry), expected.started, expected.outcome)

    def backup(self, backup: Backup) -> "asyncio.Future[int]":
        """Write a backup."""
        return self._to_backups(backup, self.encoded(backup))

    def tombstone(self, backup: Backup) -> "asyncio.Future[int]":
        """Take a backup away."""
        return self._to_backups(backup, None)

    async def publish(self, backup: Backup) -> None:
        """Hand over what stood elsewhere: the backup, then what it tells of the work.

        The intent of a caller who may live tells nothing: the pods do, when its lease is over.
        """
        await self.backup(backup)
        if backup.claim.done or backup.claim.failed is not None:
            await self.tell(backup)

    def tell(self, backup: Backup, **changes: Any) -> "asyncio.Future[int]":
        """Tell the instance what a backup knows; nobody waits for an answer."""
        known = backup.claim
        steps = {known.name, *([known.then] if known.then else [])}
        unsure = not known.done.keys() >= steps and known.failed is None
        claim = replace(known, lease=0, reply_to=None, confirm=False, unsure=unsure, **changes)
        (topic, partition), entry = self._letter(claim, backup.instance, f"{backup.id}/told")
        return self._append(topic, partition, entry)

    def encoded(self, backup: Backup) -> bytes:
        """A backup as its record."""
        return encode(
            backup,
            id=backup.id,
            source=self._source,
            subject=backup.instance,
            now=self._clock(),
            tenant=backup.claim.tenant,
        )

    @staticmethod
    def decoded(record: bytes | None) -> Backup | None:
        """A record as its backup; None where it is none."""
        message = decode(record) if record else None
        if isinstance(message, Envelope) and isinstance(message.data, Backup):
            return message.data
        return None

    def _to_backups(self, backup: Backup, value: bytes | None) -> "asyncio.Future[int]":
        number = partition_of(backup.instance.encode(), self.partitions)
        return self._append(self._topics.backups, number, Entry(backup.id.encode(), value))

    def _letter(self, claim: Claim, instance: str, id: str) -> tuple[Place, Entry]:
        return self.letter(instance, claim.priority, claim, id, claim.tenant)

    def letter(
        self, instance: str, lane: str, request: Any, id: str, tenant: str
    ) -> tuple[Place, Entry]:
        """A request as its entry, and where in its lane that belongs."""
        value = encode(
            request,
            id=id,
            source=self._source,
            subject=instance,
            now=self._clock(),
            tenant=tenant,
        )
        key = instance.encode()
        return (self._topics.lane(lane), partition_of(key, self.partitions)), Entry(key, value)

    def _append(self, topic: str, partition: int, entry: Entry) -> "asyncio.Future[int]":
        """Append, whether or not anybody waits for it."""
        future = asyncio.ensure_future(self._log.append(topic, partition, [entry]))
        self._under_way.add(future)
        future.add_done_callback(self._over)
        return future

    def _over(self, future: "asyncio.Future[int]") -> None:
        self._under_way.discard(future)
        if not future.cancelled():
            future.exception()  # whoever waits reads it; nobody has to
