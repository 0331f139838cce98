"""Taking part in a group: joining it, staying in it, joining again whenever it changes."""

import asyncio
import time
from collections.abc import Mapping
from math import inf
from typing import Protocol

from sagalog.streams.errors import LogUnavailable
from sagalog.streams.kafka import group
from sagalog.streams.kafka.assignment import Claim, Partitions, Plan, assign, present
from sagalog.streams.kafka.cluster import Cluster
from sagalog.streams.kafka.codes import Code
from sagalog.streams.kafka.coordinator import Coordinator, Keeper
from sagalog.streams.kafka.group import Member, Share
from sagalog.streams.kafka.retry import NOTICE, Refused, persist
from sagalog.streams.logs import logger
from sagalog.streams.surroundings import random_token

_WAIT = 1 / 3  # of the session: how long a rebalance may wait for the slowest member
_GOODBYE = 1.5  # seconds to reach the coordinator when leaving
_EAGER = 0.1  # seconds between heartbeats while partitions are on their way
_PAUSE = 0.05  # seconds before asking again a coordinator that cannot be reached
_log = logger(__name__)


class Possession(Protocol):
    """What a member has, as its attendance needs to know it."""

    @property
    def claimed(self) -> Partitions:
        """What it has by right, and must not be given to others yet."""
        ...

    def receive(self, share: Partitions) -> None:
        """The group says that this is its share from now on."""
        ...

    def lose(self) -> None:
        """The group went on without it: others may have all its partitions already."""
        ...


class Attendance:
    """One member's talk with its coordinator."""

    def __init__(self, cluster: Cluster, topic: str, member: Member, has: Possession) -> None:
        self._cluster = cluster
        self._topic = topic
        self._member = member
        self._has = has
        self._lane = f"group {member.group} {id(self)}"
        self._coordinator = Coordinator(cluster, Keeper.GROUP, member.group, self._lane)
        self._session = cluster.settings.session_timeout
        self.joining = False
        """It has asked to join, and waits for the group to form."""
        self._complete = True
        self._heard: frozenset[str] = frozenset()
        self._restless = asyncio.Event()
        self._joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None
        self._noticed = 0.0

    async def start(self) -> None:
        """Join. Raises Refused if the group will not have this member."""
        self._task = asyncio.create_task(self._run())
        await self._joined

    def rejoin(self) -> None:
        """Join again soon, since what this member claims has changed."""
        self._restless.set()

    async def leave(self) -> None:
        """Leave now; what was claimed goes to the others at once."""
        waits = self.joining
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if waits:
            # Brokers answer in order: on this connection the word would wait for the group.
            await self._cluster.disconnect(self._lane)
        try:
            async with asyncio.timeout(_GOODBYE):
                await persist(
                    lambda: group.leave(self._coordinator, self._member),
                    timeout=_GOODBYE,
                    doing=f"leaving group {self._member.group}",
                )
        except (LogUnavailable, TimeoutError) as error:
            _log.warning("left without a word", group=self._member.group, why=str(error))
        await self._cluster.disconnect(self._lane)

    async def _run(self) -> None:
        while True:
            try:
                if await self._join():
                    await self._stay()
            except Namesake:
                self._expelled(self._member._replace(id="", generation=-1))
                if await self._has_namesake():
                    _log.error("another process has this name", group=self._member.group)
                    return
            except Refused as error:
                if not self._joined.done():
                    self._joined.set_exception(error)
                    return
                self._notice("the group refuses this member", error)
                await asyncio.sleep(NOTICE)
            except LogUnavailable as error:
                self._notice("the group cannot be reached", error)
                await asyncio.sleep(_PAUSE)
            except Exception:  # noqa: BLE001 - without this task there are no heartbeats
                _log.exception("joining again after a bug", group=self._member.group)
                await asyncio.sleep(NOTICE)

    async def _join(self) -> bool:
        """Join the next generation; whether this member got a share of it."""
        self._restless.clear()
        # Shorter than the session: who joins need not wait for one that is about to be expelled.
        wait = min(self._session, self._cluster.settings.request_timeout) * _WAIT
        word = random_token(4)
        claim = Claim(self._has.claimed, self._member.generation, word, self._heard)
        self.joining = True
        try:
            joined = await group.join(
                self._coordinator, self._member, self._topic, claim, self._session, wait
            )
        finally:
            self.joining = False
        if joined.code == Code.MEMBER_ID_REQUIRED:
            self._member = self._member._replace(id=joined.member.id)
            return False
        if not self._accepted(joined.code):
            return False
        self._member = joined.member
        plan, claims = None, joined.claims or group.NO_CLAIMS
        if joined.claims is not None:
            plan = await self._plan(claims)
            self._heard = frozenset(group.words(claims))
        share = await group.sync(self._coordinator, self._member, self._topic, plan, claims)
        if not self._accepted(share.code):
            return False
        self._receive(share)
        return True

    async def _plan(self, claims: Mapping[str, Claim]) -> Plan:
        return assign(await self._cluster.topic(self._topic), present(claims, self._heard))

    def _receive(self, share: Share) -> None:
        self._complete, self._heard = share.complete, share.heard
        if share.absent:
            self.rejoin()  # it has its predecessor's place, which nobody counts on any more
        _log.info(
            "joined",
            group=self._member.group,
            generation=self._member.generation,
            partitions=sorted(share.partitions),
        )
        self._has.receive(share.partitions)
        if not self._joined.done():
            self._joined.set_result(None)

    async def _stay(self) -> None:
        """Send heartbeats until there is a reason to join again."""
        until = time.monotonic() + self._session
        while not await self._turns_restless():
            if not self._complete and time.monotonic() > until:
                return  # who was to give partitions up has died and come back; begin anew
            code = await self._heartbeat()
            if code == Code.REBALANCE_IN_PROGRESS or not self._accepted(code):
                return

    async def _turns_restless(self) -> bool:
        interval = self._cluster.settings.heartbeat_interval
        if not self._complete:
            interval = min(interval, _EAGER)  # heartbeats tell that partitions were given up
        try:
            async with asyncio.timeout(interval):
                return await self._restless.wait()
        except TimeoutError:
            return False

    async def _heartbeat(self) -> int:
        """What the coordinator says; while it cannot be reached, that all is well."""
        try:
            code = await group.heartbeat(self._coordinator, self._member, self._session / 3)
            if code in _FOR_MEMBERS:
                return code
            self._coordinator.check(code, "staying in group")
        except Refused:
            raise
        except LogUnavailable as error:
            self._notice("no heartbeat", error)
        return Code.NONE

    def _accepted(self, code: int) -> bool:
        """Whether the coordinator still knows this member as it is."""
        if code == Code.FENCED_INSTANCE_ID:
            raise Namesake
        if code == Code.UNKNOWN_MEMBER_ID:
            self._expelled(self._member._replace(id="", generation=-1))
        elif code == Code.ILLEGAL_GENERATION:
            self._expelled(self._member._replace(generation=-1))
        elif code != Code.REBALANCE_IN_PROGRESS:
            self._coordinator.check(code, "joining group")
        return code == Code.NONE

    async def _has_namesake(self) -> bool:
        """Whether another process has this name, and not a request of this one that came late."""
        member = self._member
        try:
            found = await persist(
                lambda: group.processes(self._coordinator, member.group),
                timeout=inf,
                doing=f"looking for a namesake in group {member.group}",
            )
        except Refused:
            return True
        return found.get(member.name or "", member.process) != member.process

    def _expelled(self, stranger: Member) -> None:
        _log.warning("the group went on without this member", group=self._member.group)
        self._member = stranger
        self._has.lose()

    def _notice(self, what: str, error: LogUnavailable) -> None:
        if time.monotonic() - self._noticed > NOTICE:
            self._noticed = time.monotonic()
            _log.warning(what, group=self._member.group, why=str(error))


_FOR_MEMBERS = frozenset(
    {
        Code.NONE,
        Code.REBALANCE_IN_PROGRESS,
        Code.UNKNOWN_MEMBER_ID,
        Code.ILLEGAL_GENERATION,
        Code.FENCED_INSTANCE_ID,
    }
)


class Namesake(Exception):
    """Another process took this member's name."""
