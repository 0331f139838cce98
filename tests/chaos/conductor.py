"""Does what the timetable says, to whom it says, while orders are started all the time.

The timetable waits where the machine is too slow for it, see `tests.chaos.pace`.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count

from tests.chaos.gate import Gate
from tests.chaos.ledger import Ledger
from tests.chaos.lines import Book
from tests.chaos.pace import Pace, Restless
from tests.chaos.plan import REST, SESSION, Plan
from tests.chaos.poison import Poisoner
from tests.chaos.process import Process
from tests.chaos.screen import Screen
from tests.chaos.seats import Guests, Seat
from tests.chaos.timetable import Deed, What, timetable
from tests.kafka.broker import Broker

FROZEN = 1.5 * SESSION
"""Seconds."""

LOOK = 0.25

LONGEST = 4.0
"""Times what was planned: what has not been done until then is left out."""


class Stage:
    """Everybody who plays in a run."""

    def __init__(self, plan: Plan, broker: Broker, gate: Gate, book: Book) -> None:
        self.plan, self.broker, self.gate, self.book = plan, broker, gate, book
        self.near: list[Seat] = []
        self.far: list[Seat] = []
        self.guests: Guests
        self.poisoner: Poisoner
        self.caller: Process

    @property
    def seats(self) -> list[Seat]:
        """The pods of both apps."""
        return [*self.near, *self.far]

    async def call(self) -> None:
        """Start the caller, the first time or again."""
        plan = self.plan
        self.caller = await Process.start(
            "tests.chaos.caller",
            *(self.gate.url, plan.app, str(plan.calls)),
            *("--seed", str(plan.seed), "--rate", str(plan.rate)),
            log=plan.folder / "caller.log",
        )
        self.book.note("start", who="caller", pid=self.caller.pid)

    async def end_caller(self) -> None:
        """Nothing is left of it."""
        await self.caller.kill()


class Conductor:
    """Runs the timetable of a stage."""

    def __init__(self, stage: Stage, ledger: Ledger, screen: Screen) -> None:
        self.done: Counter[str] = Counter()
        self._stage, self._ledger, self._screen = stage, ledger, screen
        self._pace = Pace(stage.plan, stage.near, stage.far, stage.guests, ledger)
        self._began = 0.0
        self._chance = random.Random(stage.plan.seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self._errors: list[Exception] = []
        self._renamed = count()
        self._deeds: dict[What, Callable[[Deed], Awaitable[bool]]] = {
            "kill": self._kill,
            "freeze": self._freeze,
            "guest": self._guest,
            "broker": self._broker,
            "caller": self._caller,
            "far": self._far,
            "strike": self._strike,
            "poison": self._poison,
        }

    async def conduct(self) -> None:
        """Do all deeds at their times, and wait until the last has been done.

        Raises Restless where nothing comes of waiting.
        """
        try:
            await self._deeds_in_turn()
        finally:
            while self._tasks:
                self._show("the last faults end")
                await asyncio.wait(self._tasks, timeout=LOOK)
        if self._errors:
            raise ExceptionGroup("the harness failed", self._errors)

    async def _deeds_in_turn(self) -> None:
        plan = self._stage.plan
        self._began = time.monotonic()
        end = self._began + plan.seconds * LONGEST
        for deed in timetable(plan.seed, plan.seconds, pace=plan.pace, soak=plan.soak):
            while (left := self._began + deed.at - time.monotonic()) > 0:
                self._show("faults")
                await asyncio.sleep(min(left, LOOK))
            await self._may(deed)
            if time.monotonic() > end:
                return
            self._pace.struck(deed.what)
            self._spawn(self._do(deed))

    async def _may(self, deed: Deed) -> None:
        """Wait until it may be done; all that comes behind it is done so much later."""
        began = quiet = time.monotonic()
        while not self._pace.may(deed.what):
            self._show("waits until something has ended")
            await asyncio.sleep(LOOK)
            if self._tasks:
                quiet = time.monotonic()
            if time.monotonic() - quiet > REST:
                raise Restless(f"nothing has ended for {REST:.0f} s in which nothing struck")
        waited = time.monotonic() - began
        self._began += waited
        if waited > LOOK:
            self._stage.book.note("waited", deed=deed.what, seconds=waited)

    def _show(self, doing: str) -> None:
        ledger = self._ledger.read()
        self._screen.show(doing, len(ledger.acknowledged), len(ledger.told), self.done)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = task.exception()
        if isinstance(error, Exception):
            self._errors.append(error)

    async def _do(self, deed: Deed) -> None:
        open_ = self._ledger.read().open
        if await self._deeds[deed.what](deed):
            self.done[deed.what] += 1
            self._stage.book.note("deed", deed=deed.what, open=open_)

    # -- the deeds; each says whether it was done

    async def _on(self, what: What, deed: Callable[[Seat], Awaitable[None]]) -> bool:
        victims = self._pace.victims(what)
        if not victims:
            return False  # it was struck by another deed of the same moment
        seat = self._chance.choice(victims)
        seat.busy = True
        try:
            await deed(seat)
        finally:
            seat.busy = False
        return True

    async def _kill(self, _: Deed) -> bool:
        """Two come back at once, the third under another name when its session is over."""
        renamed = next(self._renamed) % 3 == 2
        away = SESSION + 0.5 if renamed else 0.0
        return await self._on("kill", lambda seat: seat.kill(away=away, renamed=renamed))

    async def _freeze(self, _: Deed) -> bool:
        return await self._on("freeze", lambda seat: seat.freeze(FROZEN))

    async def _far(self, _: Deed) -> bool:
        return await self._on("far", lambda seat: seat.kill())

    async def _guest(self, _: Deed) -> bool:
        return await self._stage.guests.visit(self._chance.uniform(1.0, 3.0))

    async def _broker(self, _: Deed) -> bool:
        await asyncio.to_thread(self._stage.broker.kill)
        self._stage.book.note("broker killed")
        await asyncio.to_thread(self._stage.broker.start)
        self._stage.book.note("broker back")
        self._pace.broker_back()
        return True

    async def _caller(self, _: Deed) -> bool:
        caller = self._stage.caller
        await caller.kill()
        self._stage.book.note("caller killed", pid=caller.pid)
        await self._stage.call()
        return True

    async def _strike(self, deed: Deed) -> bool:
        assert deed.aim is not None
        self._stage.gate.aim(*deed.aim)
        return True

    async def _poison(self, _: Deed) -> bool:
        await self._stage.poisoner.write()
        return True
