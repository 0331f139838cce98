"""Sagas that must all end as they should, whatever happens to those who run them."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest

from sagalog.schemas import facts as f
from sagalog.streams.audit import audit
from sagalog.streams.client import Client
from sagalog.streams.handle import Handle
from sagalog.streams.owner import lanes_group
from tests.recovery import journal
from tests.recovery.app import KINDS
from tests.recovery.crew import Crew
from tests.recovery.world import World, eventually

ALL_DONE = 60
"""Seconds until everything has ended, counted from the last blow."""


class Load:
    """Sagas under way, started by one client with one key each."""

    def __init__(self, world: World, crew: Crew, seed: int, *, sagas: int) -> None:
        self.world, self.crew, self.sagas = world, crew, sagas
        self.chance = random.Random(seed)
        self.handles: dict[str, Handle[Any]] = {}
        self.expected: dict[str, str] = {}
        self._client: Client

    async def start(self, saga: str = "order", kinds: Sequence[str] = KINDS) -> None:
        """Ask for all of them; the broker or file has them when this returns."""
        self._client = await self.world.client(self.world.name)
        for number in range(self.sagas):
            kind = kinds[number % len(kinds)]
            handle = await self._client.start(
                saga, {"number": number, "kind": kind}, key=f"{saga}-{number}"
            )
            completes = kind in ("fine", "flaky", "slow")
            self.expected[handle.id] = "completed" if completes else "compensated"
            self.handles[handle.id] = handle

    async def more(self, calls: int) -> None:
        """Wait until the handlers were called so many times more."""
        until = journal.length(self.crew.journal) + calls

        async def enough() -> bool:
            return journal.length(self.crew.journal) >= until

        await eventually(enough, pause=0.002)

    def work_remains(self) -> None:
        """Fail where a blow would strike nobody."""
        waiting = [handle._waiting for handle in self.handles.values()]
        open_ = sum(w is not None and not w.outcome.done() for w in waiting)
        assert open_ > self.sagas // 10, f"void: only {open_} sagas are left"

    async def end(self) -> None:
        """Wait for every outcome, and compare it with the log."""
        async with asyncio.timeout(ALL_DONE):
            outcomes = await asyncio.gather(*(h.outcome() for h in self.handles.values()))
        events = await self.world.messages("events")
        results: dict[tuple[str, str], Any] = {}
        for message in events:
            if isinstance(message.data, f.StepCompleted):
                results.setdefault((message.subject, message.data.step), message.data.result)
        for outcome in outcomes:
            for step, result in outcome.results.items():
                assert result == results[outcome.instance, step], "the first in the log wins"

    async def judge(self, there: World | None = None, *, cut_short: bool = True) -> None:
        """Audit log and journal, here and `there`. Fails with every violation."""
        lines = journal.read(self.crew.journal)
        report = await audit(
            self.world.log,
            self.world.name,
            journal=lines,
            blows=self.crew.blows,
            acknowledged=self.expected,
        )
        found = "\n".join(violation.text() for violation in report.violations[:40])
        assert report.clean, found + self.crew.errors()
        assert report.apps == [self.world.name, *([there.name] if there else [])]
        assert report.tally.instances >= len(self.expected)
        if cut_short:
            assert journal.duplicates(lines) > 0, "void: no call was cut short"

    async def rest(self, there: World | None = None) -> None:
        """Wait until every request is committed."""
        world = there or self.world
        places = [(topic, n) for topic in world.topics.lanes for n in range(world.partitions)]
        ends = await world.log.ends(places)

        async def committed() -> bool:
            found = await world.log.committed(lanes_group(world.name), places)
            return {place: found.get(place, 0) for place in places} == ends

        try:
            await eventually(committed)
        except TimeoutError:
            found = await world.log.committed(lanes_group(world.name), places)
            left = {p: (found.get(p, 0), ends[p]) for p in places if found.get(p, 0) != ends[p]}
            pytest.fail(f"requests left (committed, end): {left}\n{self.crew.errors()}")

    async def tables(self, there: World | None = None) -> None:
        """Compare the tables with a fold from the very beginning (S10)."""
        world = there or self.world
        report = await audit(world.log, world.name)
        assert report.tally.rows > report.tally.instances, "void: no table was compared"
        assert report.tally.violations["S10"] == 0
