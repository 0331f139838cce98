"""Telling an owner what is his: what is lost is given up before others get it."""

import asyncio

from sagalog.streams.kafka.assignment import Partitions
from sagalog.streams.kafka.attendance import Attendance
from sagalog.streams.kafka.cluster import Cluster
from sagalog.streams.kafka.group import Member
from sagalog.streams.log import Assigned, Revoked
from sagalog.streams.logs import logger

_NOTHING: Partitions = frozenset()
_log = logger(__name__)


class KafkaMembership:
    """A `Membership`. The owner is told one thing at a time, and never while heartbeats wait."""

    def __init__(
        self, cluster: Cluster, topic: str, member: Member, assigned: Assigned, revoked: Revoked
    ) -> None:
        self._attendance = Attendance(cluster, topic, member, self)
        self._assigned = assigned
        self._revoked = revoked
        self._owned = _NOTHING
        """What the owner has, also while he gives it up."""
        self._share = _NOTHING
        """What the group gave us last."""
        self._lost = _NOTHING
        """What others may have had meanwhile: given up even if it is ours again."""
        self._changed = asyncio.Event()
        self._telling = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Join the group, and tell the owner from now on."""
        self._task = asyncio.create_task(self._tell())
        try:
            await self._attendance.start()
        except BaseException:
            self._task.cancel()
            raise

    async def leave(self) -> None:
        """Give up what is owned, then leave, so that the others need not wait for a timeout."""
        async with self._telling:
            task, self._task = self._task, None
            if task is None:
                return
            task.cancel()
            if self._owned:
                await self._call(self._revoked, self._owned)
        await self._attendance.leave()

    @property
    def claimed(self) -> Partitions:
        """What others must not get yet."""
        return self._owned - self._lost

    def receive(self, share: Partitions) -> None:
        """Tell the owner of his share."""
        self._share = share
        self._changed.set()

    def lose(self) -> None:
        """Have the owner give up everything, late as it is."""
        self._lost |= self._owned
        self._share = _NOTHING
        self._changed.set()

    async def _tell(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            async with self._telling:
                await self._give_up()
                await self._take_over()

    async def _give_up(self) -> None:
        gone = (self._owned - self._share) | (self._owned & self._lost)
        if gone:
            await self._call(self._revoked, gone)
            self._owned -= gone
            self._lost -= gone
            self._attendance.rejoin()  # the others may have them now

    async def _take_over(self) -> None:
        if not self._share <= self._owned:
            self._owned |= self._share
            await self._call(self._assigned, self._owned)

    async def _call(self, tell: Assigned | Revoked, partitions: Partitions) -> None:
        try:
            await tell(partitions)
        except Exception:  # noqa: BLE001 - his bugs must not cost the membership
            _log.exception("the owner failed at a change", partitions=sorted(partitions))
