"""One process's side of the group: what is lost is given up before others get it."""

import asyncio
from contextlib import suppress

from sagalog.streams.errors import LogUnavailable
from sagalog.streams.kafka.assignment import Partitions
from sagalog.streams.log import Assigned, Revoked
from tests.simulation.group import NOTHING, Group
from tests.simulation.journeys import Line


class SimulatedMembership:
    """A `Membership`. The owner is told one thing at a time."""

    def __init__(
        self, group: Group, line: Line, name: str, assigned: Assigned, revoked: Revoked
    ) -> None:
        self.name, self.group = name, group
        self._line, self._assigned, self._revoked = line, assigned, revoked
        self._owned = self._share = self._lost = NOTHING
        self._changed = asyncio.Event()
        self._telling = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Join."""
        self._task = asyncio.create_task(self._tell())
        self.group.join(self.name, self)

    @property
    def responsive(self) -> bool:
        """Whether its heartbeats arrive."""
        process = self._line.process
        return process.alive and not process.frozen and not self._line.away

    @property
    def claimed(self) -> Partitions:
        """What others must not get yet."""
        return self._owned - self._lost

    def receive(self, share: Partitions) -> None:
        """The group has said what is this member's."""
        self._line.answer(self._received, share)

    def _received(self, share: Partitions) -> None:
        self._share = share
        self._changed.set()

    def lose(self) -> None:
        """The group has said that it went on without this member."""
        self._line.answer(self._expelled)

    def _expelled(self) -> None:
        self._lost |= self._owned
        self._share = NOTHING
        self._changed.set()
        if not self.group.taken(self.name, self) and self._task is not None:
            self.group.join(self.name, self)

    async def leave(self) -> None:
        """Give up what is owned, then leave."""
        async with self._telling:
            task, self._task = self._task, None
            if task is None:
                return
            task.cancel()
            if self._owned:
                await self._revoked(self._owned)
        with suppress(LogUnavailable):  # then the others wait for a session
            await self._line.ask(lambda: self.group.leave(self.name, self), limit=3.0)

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
            if self._line.strike("during-revoke"):
                return
            await self._revoked(gone)
            self._owned -= gone
            self._lost -= gone
            self.group.rebalance()

    async def _take_over(self) -> None:
        if not self._share <= self._owned:
            self._owned |= self._share
            await self._assigned(self._owned)
