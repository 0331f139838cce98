"""Limits over all partitions and pods, counted in the handlers themselves."""

import asyncio
import time
from collections import Counter
from typing import Any

import pytest

from sagalog.engine import App, Context, DeclarationError, Limit, step
from sagalog.schemas import limits as l
from sagalog.streams import Handle
from sagalog.streams.pod import Pod
from tests.recovery.world import PATIENCE, World, eventually


class Gauge:
    """An app with a limited operation, and how many of its calls there are at once."""

    def __init__(self, name: str, limit: Limit) -> None:
        self.app = App(name)
        self.most: Counter[str] = Counter()
        self.now: Counter[str] = Counter()
        self.done: list[str] = []
        self.began: list[float] = []
        self.open = asyncio.Event()
        self.open.set()

        @self.app.operation(limit=limit)
        async def call(item: str, ctx: Context) -> None:
            self.began.append(time.monotonic())
            self.now[ctx.tenant] += 1
            self.most[ctx.tenant] = max(self.most[ctx.tenant], self.now[ctx.tenant])
            self.most["all"] = max(self.most["all"], self.now.total())
            await asyncio.sleep(0.005)
            await self.open.wait()
            self.now[ctx.tenant] -= 1
            self.done.append(ctx.tenant)

        @self.app.operation
        async def look(item: str) -> None: ...

        self.call, self.look = call, look
        self.saga = self.app.saga("both", step(look), step(call))


class Limits:
    """`world` is a fixture of whoever derives from this; `pods` of them share the app."""

    pods = 1

    async def _work(self, world: World, app: App) -> list[Pod]:
        pods = [await world.pod(app, f"pod{n}") for n in range(self.pods)]
        for pod in pods:
            await eventually(lambda pod=pod: _acts(pod))  # type: ignore[misc]
        return pods

    async def test_never_more_run_at_once_than_the_limit(self, world: World) -> None:
        gauge = Gauge(world.name, Limit(concurrency=3))
        await self._work(world, gauge.app)
        client = await world.client(gauge.app)
        alone = await client.submit_many(gauge.call, [str(n) for n in range(120)])
        sagas = [await client.start(gauge.saga, str(n)) for n in range(30)]
        await _all(*alone, *sagas)
        assert gauge.most["all"] == 3
        assert len(gauge.done) == 150

    async def test_one_tenant_over_all_partitions_has_one_limit(self, world: World) -> None:
        gauge = Gauge(world.name, Limit(concurrency=2, by="tenant"))
        await self._work(world, gauge.app)
        handles: list[Handle[Any]] = []
        for tenant in ("a", "b", "c"):
            client = await world.client(gauge.app, tenant=tenant)
            handles += await client.submit_many(gauge.call, [str(n) for n in range(60)])
        await _all(*handles)
        assert {gauge.most[tenant] for tenant in "abc"} == {2}
        parts = {
            r.partition
            for r in await world.records("events")
            if b"step.completed" in (r.value or b"")
        }
        assert len(parts) == world.partitions

    async def test_the_flood_of_one_tenant_leaves_another_its_turn(self, world: World) -> None:
        gauge = Gauge(world.name, Limit(concurrency=2))
        await self._work(world, gauge.app)
        flood = await world.client(gauge.app, tenant="a")
        await flood.submit_many(gauge.call, [str(n) for n in range(2000)])
        await eventually(lambda: _true(len(gauge.done) > 20))
        few = await world.client(gauge.app, tenant="b")
        before = len(gauge.done)
        await _all(*await few.submit_many(gauge.call, [str(n) for n in range(4)]))
        await (await few.submit(gauge.look, "x")).result(PATIENCE)
        assert len(gauge.done) - before < 400
        assert gauge.most["all"] == 2

    async def test_a_flood_beyond_all_bounds_stays_in_the_log(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sagalog.engine.aside.MOST", 40)
        monkeypatch.setattr("sagalog.engine.aside.CROWD", 10)
        gauge = Gauge(world.name, Limit(concurrency=0))
        pods = await self._work(world, gauge.app)
        client = await world.client(gauge.app)
        handles = await client.submit_many(gauge.call, [str(n) for n in range(600)])
        owners = [owner for pod in pods for owner in pod.owners.values()]
        await eventually(lambda: _true(all(o.closed_lanes == {"normal"} for o in owners)))
        await client.set_limit(gauge.call, Limit(concurrency=5))
        await _all(*handles)
        assert gauge.most["all"] == 5
        assert len(gauge.done) == 600
        assert not any(owner.closed_lanes for owner in owners)

    async def test_a_rate_holds_over_all_of_them(self, world: World) -> None:
        gauge = Gauge(world.name, Limit(rate=50, per=1.0, burst=5))
        await self._work(world, gauge.app)
        client = await world.client(gauge.app)
        await _all(*await client.submit_many(gauge.call, [str(n) for n in range(60)]))
        spent = gauge.began[-1] - gauge.began[0]
        assert spent >= 0.9 * (60 - 5) / 50
        for n, at in enumerate(gauge.began):
            within = sum(at <= other < at + 0.5 for other in gauge.began[n:])
            assert within <= 0.5 * 50 + 2 * 5

    async def test_a_limit_that_is_changed_takes_hold_without_a_restart(self, world: World) -> None:
        gauge = Gauge(world.name, Limit(concurrency=1))
        await self._work(world, gauge.app)
        client = await world.client(gauge.app)
        gauge.open.clear()
        handles = await client.submit_many(gauge.call, [str(n) for n in range(40)])
        await eventually(lambda: _true(gauge.now.total() == 1))
        await client.set_limit(gauge.call, Limit(concurrency=7))
        await eventually(lambda: _true(gauge.now.total() == 7))
        await client.set_limit("call", None)
        gauge.open.set()
        await _all(*handles)
        assert gauge.most["all"] == 7

    async def test_a_limit_for_one_tenant_leaves_the_others_theirs(self, world: World) -> None:
        gauge = Gauge(world.name, Limit(concurrency=1, by="tenant"))
        await self._work(world, gauge.app)
        gauge.open.clear()
        one = await world.client(gauge.app, tenant="a")
        other = await world.client(gauge.app, tenant="b")
        handles = await one.submit_many(gauge.call, [str(n) for n in range(10)])
        handles += await other.submit_many(gauge.call, [str(n) for n in range(10)])
        await other.set_limit(gauge.call, Limit(concurrency=4), key="a")
        await eventually(lambda: _true(gauge.now == {"a": 4, "b": 1}))
        gauge.open.set()
        await _all(*handles)
        assert (gauge.most["a"], gauge.most["b"]) == (4, 1)

    async def test_a_limit_that_nothing_would_go_by_is_refused(self, world: World) -> None:
        gauge = Gauge(world.name, Limit(concurrency=1))
        client = await world.client(gauge.app)
        with pytest.raises(DeclarationError, match="look: declares no limit"):
            await client.set_limit(gauge.look, Limit(concurrency=1))
        with pytest.raises(DeclarationError, match="none: is no operation of"):
            await client.set_limit("none", Limit(concurrency=1))
        with pytest.raises(DeclarationError, match=r"Limit\.by: is settled"):
            await client.set_limit(gauge.call, Limit(concurrency=1, by="tenant"))

    async def test_a_pod_that_leaves_gives_its_permits_back(self, world: World) -> None:
        gauge = Gauge(world.name, Limit(concurrency=2))
        pods = await self._work(world, gauge.app)
        client = await world.client(gauge.app)
        handles = await client.submit_many(gauge.call, [str(n) for n in range(300)])
        await eventually(lambda: _true(len(gauge.done) > 10))
        began = time.monotonic()
        await pods[0].stop()
        if self.pods == 1:
            await world.pod(gauge.app, "next")
        before = len(gauge.done)
        await eventually(lambda: _true(len(gauge.done) > before + 20))
        assert time.monotonic() - began < 9, "the lease of ten seconds was waited for"
        await _all(*handles)
        expired = [
            m for m in await world.messages("events") if isinstance(m.data, l.PermitsExpired)
        ]
        assert not expired


async def _all(*handles: Handle[Any]) -> None:
    await asyncio.gather(*(handle.outcome(4 * PATIENCE) for handle in handles))


async def _true(value: bool) -> bool:
    return value


async def _acts(pod: Pod) -> bool:
    owners = pod.owners.values()
    return bool(owners) and all(owner.processor.phase == "acting" for owner in owners)
