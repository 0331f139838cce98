"""Lanes under a flood, in made-up time: the real pod and client over a log in memory.

What is measured is the pod's order of doing things: computing costs no made-up time.
"""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from sagalog.engine import App, Context
from sagalog.schemas.codec import encode
from sagalog.schemas.definition import Priority
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Entry
from sagalog.schemas.requests import RunOperation
from sagalog.schemas.topics import Topics
from sagalog.streams import Client, Pod, PodSettings
from sagalog.streams.embedded import MemoryLog, MemoryStore
from sagalog.streams.testing.loop import VirtualLoop

START = 1_767_225_600_000
PARTITIONS = 4
SLOTS = 32
FLOOD = 100_000


class Town:
    """A pod whose handlers take 10 to 30 ms, and who was called when, by lane."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop, self.chance = loop, Random(7)
        self.app = App("town", retention=1)
        self.called: list[str] = []
        self.app.operation(name="work")(self.work)
        self.store = MemoryStore()
        for spec in Topics("town").specs(PARTITIONS):
            self.store.create(spec)
        self.log = MemoryLog(self.store, clock=self.clock)

    def clock(self) -> int:
        return START + round(self.loop.time() * 1000)

    async def work(self, n: int, ctx: Context) -> None:
        self.called.append(ctx.priority)
        await asyncio.sleep(self.chance.uniform(0.01, 0.03))

    async def pod(self) -> Pod:
        settings = PodSettings(slots=SLOTS, forget_interval=3600)
        pod = Pod(self.app, self.log, member="a", settings=settings, clock=self.clock)
        await pod.start()
        return pod

    async def flood(self, lane: Priority, count: int) -> None:
        """So many requests wait in a lane, of which nobody is told how they end."""
        for n in range(count):
            instance = f"{lane}-{n}"
            request = RunOperation("work", n, "f", priority=lane, retention=1)
            value = encode(request, id="r", source="t", subject=instance, now=self.clock())
            key = instance.encode()
            await self.log.append(
                f"town.{lane}", partition_of(key, PARTITIONS), [Entry(key, value)]
            )

    async def latencies(self, client: Client, lane: Priority, count: int) -> list[float]:
        """One request after the other, at random times: how long each took, in order of that."""
        took = list[float]()

        async def one(n: int) -> None:
            began = self.loop.time()
            await (await client.submit("work", n, priority=lane)).result()
            took.append(self.loop.time() - began)

        waiting = list[asyncio.Task[None]]()
        for n in range(count):
            waiting.append(asyncio.create_task(one(n)))
            await asyncio.sleep(self.chance.uniform(0.0, 0.02))
        await asyncio.gather(*waiting)
        return sorted(took)


def run(story: Callable[[Town], Coroutine[Any, Any, None]]) -> None:
    """Play it; whoever still works then is gone with the loop."""
    loop = VirtualLoop()
    try:
        loop.run_until_complete(story(Town(loop)))
    finally:
        loop.close()


def p99(took: list[float]) -> float:
    return took[len(took) * 99 // 100]


def test_under_a_flood_of_low_the_p99_of_high_stays_within_twice_of_idle() -> None:
    measured = dict[str, float]()

    async def story(town: Town) -> None:
        await town.pod()
        client = Client(town.log, town.app, clock=town.clock)
        await client.open()
        measured["idle"] = p99(await town.latencies(client, "high", 300))
        await town.flood("low", FLOOD)
        town.called.clear()
        measured["flooded"] = p99(await town.latencies(client, "high", 300))
        measured["low"] = town.called.count("low")
        status = await client.status()
        measured["left"] = status.lanes[2].depth

    run(story)
    assert measured["left"] > FLOOD / 2, "the flood is over before the measuring is"
    assert measured["low"] > 500, "low does not move"
    assert measured["flooded"] <= 2 * measured["idle"], measured


def test_low_moves_at_its_share_while_high_is_flooded() -> None:
    async def story(town: Town) -> None:
        await town.flood("high", 4000)
        await town.flood("low", 1000)
        await town.pod()
        while len(town.called) < 3500:  # noqa: ASYNC110 (in made-up time)
            await asyncio.sleep(0.01)
        begun = town.called[500:3500]
        share = begun.count("low") / len(begun)
        assert 0.9 / 17 <= share <= 1.1 / 17, share

    run(story)


def test_what_waits_for_minutes_while_high_is_flooded_moves_faster() -> None:
    async def story(town: Town) -> None:
        await town.flood("low", 2000)
        await asyncio.sleep(300)
        await town.flood("high", 4000)
        await town.pod()
        while len(town.called) < 3500:  # noqa: ASYNC110 (in made-up time)
            await asyncio.sleep(0.01)
        begun = town.called[500:3500]
        share = begun.count("low") / len(begun)
        assert 0.9 * 4 / 20 <= share <= 1.1 * 4 / 20, share

    run(story)
