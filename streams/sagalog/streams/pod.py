"""A pod: takes its share of an app's partitions, and drives their processors over the log."""

import asyncio
from collections.abc import Callable, Iterable
from itertools import groupby
from operator import attrgetter

from sagalog.engine.app import App
from sagalog.engine.effects import Call, Then
from sagalog.engine.results import Result
from sagalog.engine.scheduler import Arrival, Scheduler
from sagalog.engine.writer import LARGEST
from sagalog.schemas.record import Record
from sagalog.schemas.topics import Topics
from sagalog.schemas.workers import WorkerState
from sagalog.streams.dispatcher import Dispatcher, patiently
from sagalog.streams.errors import Fenced, LogError
from sagalog.streams.executor import Executor
from sagalog.streams.gates import Gates
from sagalog.streams.holdings import Holdings
from sagalog.streams.log import Log, Membership
from sagalog.streams.logs import logger
from sagalog.streams.owner import Owner
from sagalog.streams.pod_settings import PodSettings
from sagalog.streams.presence import Presence, Sight
from sagalog.streams.recovery import Recovery
from sagalog.streams.stats import PodStats, pod_stats
from sagalog.streams.surroundings import ROUND, Clock, Token, random_token, wall_clock

log = logger(__name__)


LAST_CHECKPOINT = 1.5
"""Seconds for the last checkpoint of a partition; without it the next owner folds more."""


class Pod:
    """Runs an app's handlers. `member` is the pod's stable name, kept over restarts.

    `on_change` hears which partitions act, whenever that changes.
    """

    def __init__(
        self,
        app: App,
        log: Log,
        *,
        member: str,
        settings: PodSettings | None = None,
        clock: Clock = wall_clock,
        token: Token = random_token,
        on_change: Callable[[frozenset[int]], None] = lambda _: None,
    ) -> None:
        self.app, self.member = app, member
        self.settings = settings or PodSettings()
        self.changed = asyncio.Event()
        self._on_change = on_change
        self._log, self._clock, self._token = log, clock, token
        self._topics = Topics(app.name)
        self._scheduler = Scheduler(self.settings.slots)
        pools = {"threads": self.settings.threads, "processes": self.settings.processes}
        self._executor = Executor(app.operations, self._finished, self._progressed, **pools)
        self._executor.progress_interval = self.settings.progress_interval
        self._holdings = Holdings(self._make, self._adopt, self._drop, self._give_up)
        self._dispatcher = Dispatcher(app.name, log, self._acknowledged, self._holdings.broken)
        self._recovery = Recovery(log, app.name, member, clock)
        self._facts, self._requests = log.reader(), log.reader()
        self._membership: Membership | None = None
        self._state: WorkerState = "working"
        beat = self.settings.beat_interval
        self._presence = Presence(log, app.name, member, beat, clock, token, self._look, self.drain)
        self._tasks: list[asyncio.Task[None]] = []
        self._touched: dict[Owner, None] = {}  # in their order, the same in every run
        self._turning = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0
        self._paused: set[str] = set()
        self._gates = Gates(self._requests, self._scheduler, self._topics, self._paused)

    # -- life

    async def start(self) -> None:
        """Join the group and work. Raises LogError where the topics or the log are not right."""
        self._partitions = await self._log.partitions(self._topics.events)
        for topic in (*self._topics.lanes, self._topics.tables, self._topics.deadletters):
            await self._same_count(topic)
        # A tenth is left for keys, frames, and an outcome's way to its parent.
        self._largest = min(LARGEST, await self._log.largest(self._topics.events) * 9 // 10)
        rounds = self._recovery.run(self.owners, self._partitions, self.settings.recover_interval)
        loops = (self._read_facts(), self._read_requests(), self._checkpoints(), self._forgets())
        self._tasks = [asyncio.create_task(loop, name=ROUND) for loop in (*loops, rounds)]
        holdings = self._holdings
        try:
            group = self.app.name, self._topics.events, self.member
            self._membership = await self._log.join(*group, holdings.assigned, holdings.revoked)
            await self._presence.open()
        except BaseException:
            await self.stop()
            raise

    async def _same_count(self, topic: str) -> None:
        count = await self._log.partitions(topic)
        if count != self._partitions:
            raise LogError(
                f"{topic} has {count} partitions and {self._topics.events} has "
                f"{self._partitions}: they must be the same. See `sagalog topics check`."
            )

    async def stop(self) -> None:
        """Give every partition up in order, leave the group, and end. Within 10 s."""
        await self._leave()
        await self._presence.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
        await self._executor.close()
        await self._dispatcher.close()
        await self._facts.close()
        await self._requests.close()

    async def _leave(self) -> None:
        await self._holdings.close()
        membership, self._membership = self._membership, None
        if membership is not None:
            await membership.leave()

    async def drain(self) -> None:
        """Give every partition up in order and leave the group; stay, idle, until `stop`."""
        if self._state == "working":
            self._state = "draining"
            await self._presence.beat()
            await self._leave()
            self._state = "drained"
            await self._presence.beat()

    def _look(self) -> Sight:
        return self._state, self.stats(), self._executor.running()

    @property
    def owners(self) -> dict[int, Owner]:
        """The partitions that this pod holds."""
        return self._holdings.owners

    def stats(self) -> PodStats:
        """How it stands now, from what it has in memory: cheap enough for every scrape."""
        return pod_stats(self._scheduler, self.owners.values(), self._clock())

    async def failed(self) -> BaseException:
        """Wait until a loop of the pod has ended by an error, and return it."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(done)).exception() or RuntimeError("a loop of the pod has ended")

    # -- partitions come and go

    def _make(self, number: int) -> Owner:
        return Owner(
            self.app,
            self._log,
            number,
            self._partitions,
            self._clock,
            nonce=self._token(6),
            largest=self._largest,
        )

    def _adopt(self, owner: Owner) -> None:
        self._facts.watch(owner.events, owner.start)
        self._touch(owner)

    def _drop(self, owner: Owner) -> None:
        for place in owner.lanes:
            self._requests.drop(place)
        self._facts.drop(owner.events)
        self._scheduler.drop(owner.number)
        for _ in range(self._executor.stop(owner.number)):
            self._scheduler.freed()
        self._say_change()

    async def _give_up(self, owner: Owner) -> None:
        """Stop intake, let handlers end and be appended, checkpoint, release (DESIGN, 5)."""
        self._stop_intake(owner)
        try:
            async with asyncio.timeout(self.settings.give_up_timeout):
                while owner.processor.settling():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            log.warning("handlers still run; they will run again elsewhere", partition=owner.number)
        try:
            async with asyncio.timeout(LAST_CHECKPOINT):
                await owner.checkpoint()
        except Exception as error:  # noqa: BLE001 (whatever it is, the partition is let go)
            log.warning("no last checkpoint", partition=owner.number, reason=repr(error))
        await self._holdings.release(owner)
        log.debug("partition released", partition=owner.number)

    def _stop_intake(self, owner: Owner) -> None:
        for place in owner.lanes:
            self._requests.drop(place)
        owner.lanes = {}
        self._scheduler.drop(owner.number)
        owner.processor.close_intake()
        self._touch(owner)

    def _say_change(self) -> None:
        acting = (n for n, owner in self.owners.items() if owner.processor.phase == "acting")
        self._on_change(frozenset(acting))
        self._presence.changed()

    # -- turns

    async def _read_facts(self) -> None:
        while True:
            records = await self._facts.read(1.0)
            now = self._clock()
            for number, group in groupby(records, attrgetter("partition")):
                owner = self.owners.get(number)
                if owner is not None:
                    self._fold(owner, list(group), now)
                    # What one partition wants leaves for the log before the next is folded.
                    self._turn()
                    await asyncio.sleep(0)
            self._turn()
            self.changed.set()
            await asyncio.sleep(0)

    def _fold(self, owner: Owner, records: list[Record], now: int) -> None:
        was = owner.processor.phase
        owner.processor.fold(records, now)
        self._touched[owner], phase = None, owner.processor.phase
        if phase == "acting" and was != "acting":
            self._gates.open(owner)
            self._say_change()
        elif phase == "lost":
            self._holdings.lost(owner)

    async def _read_requests(self) -> None:
        while True:
            for record in await self._requests.read(1.0):
                owner, lane = self.owners.get(record.partition), record.topic.rpartition(".")[2]
                if owner is not None and lane not in owner.closed_lanes:
                    self._scheduler.arrived(Arrival(lane, record))
            self._turn()
            self._pause_lanes()
            await asyncio.sleep(0)

    def _pause_lanes(self) -> None:
        """When the slots are full the backlog stays in the log."""
        for topic in self._topics.lanes:
            backlog = self._scheduler.backlog(topic.rpartition(".")[2])
            places = [p for owner in self.owners.values() for p in owner.lanes if p[0] == topic]
            if topic not in self._paused and backlog > 4 * self.settings.slots:
                self._paused.add(topic)
                for place in places:
                    self._requests.pause(place)
            elif topic in self._paused and backlog < 2 * self.settings.slots:
                self._paused.discard(topic)
                for place in places:
                    self._requests.resume(place)

    def _finished(self, call: Call, result: Result) -> None:
        self._scheduler.freed()
        if (owner := self.owners.get(call.partition)) is not None:
            owner.processor.finished(call, result, self._clock())
            self._touch(owner)

    def _progressed(self, call: Call, number: int, fraction: float, message: str) -> None:
        if (owner := self.owners.get(call.partition)) is not None:
            owner.processor.progressed(call, number, fraction, message, self._clock())
            self._touch(owner)

    def _acknowledged(self, owner: Owner, thens: list[Then]) -> None:
        now = self._clock()
        for then in thens:
            owner.processor.acknowledged(then, now)
        self._touch(owner)

    def _touch(self, owner: Owner) -> None:
        """One turn for all that happens before the loop comes round."""
        self._touched[owner] = None
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """Do the effects, then start what may start, until nothing is left to do."""
        self._turning = False
        while self._touched or self._schedule():
            touched, self._touched = self._touched, {}
            for owner in touched:
                self._perform(owner)
        self._set_timer()
        if self._paused:
            self._pause_lanes()

    def _perform(self, owner: Owner) -> None:
        effects = owner.processor.effects()
        if owner.processor.phase == "lost":
            return
        self._gates.mind(owner)
        for call in effects.calls:
            self._scheduler.offer(call)
        if effects.appends:
            self._dispatcher.append(owner, effects.appends)

    def _schedule(self) -> bool:
        """Start calls and take requests in; whether that wants anything done."""
        scheduler, now = self._scheduler, self._clock()
        scheduler.starting = sum(owner.processor.starting for owner in self.owners.values())
        while (job := scheduler.next(now)) is not None:
            if isinstance(job, Call):
                self._start(job, now)
                continue
            owner = self.owners.get(job.record.partition)
            if owner is not None:
                scheduler.starting += owner.processor.intake(job.lane, job.record, now)
                self._touched[owner] = None
        return bool(self._touched)

    def _start(self, call: Call, now: int) -> None:
        owner = self.owners.get(call.partition)
        invocation = owner.processor.start(call, now) if owner else None
        if invocation is None:
            self._scheduler.freed()
            if owner:
                self._touched[owner] = None  # its permit may go to the next call
        else:
            self._executor.submit(invocation)

    # -- time

    def _set_timer(self) -> None:
        due = min(self._dues(), default=0)
        if due == self._timer_due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_due = None, due
        if due:
            wait = max(0, due - self._clock()) / 1000
            self._timer = asyncio.get_running_loop().call_later(wait, self._tick)

    def _dues(self) -> Iterable[int]:
        for owner in self.owners.values():
            due = owner.processor.next_due()
            if due is not None:
                yield due

    def _tick(self) -> None:
        self._timer, self._timer_due = None, 0
        for owner in self.owners.values():
            owner.processor.tick(self._clock())
            self._touched[owner] = None
        self._turn()

    async def _checkpoints(self) -> None:
        while True:
            await asyncio.sleep(self.settings.checkpoint_interval)
            await asyncio.gather(*(self._checkpoint(o) for o in list(self.owners.values())))

    async def _checkpoint(self, owner: Owner) -> None:
        try:
            await owner.checkpoint()
        except Fenced:
            self._holdings.lost(owner)
        except LogError as error:
            self._holdings.broken(owner, error)

    async def _forgets(self) -> None:
        while True:
            await asyncio.sleep(self.settings.forget_interval)
            for owner in list(self.owners.values()):
                if owner.processor.phase == "acting" and owner.lanes:
                    await patiently("read the lanes' ends", owner.poll_lanes)
                    await patiently("trim the lanes", owner.trim)
            self._tick()
