"""Who works is seen by everybody, what it runs too, and it stops when it is told to."""

from typing import Any

import pytest

from sagalog.schemas.partitioner import partition_of
from sagalog.streams import Pod, Worker, drain_worker, read_workers
from sagalog.streams.surroundings import wall_clock
from tests.recovery.shop import Order, Shop
from tests.recovery.world import PATIENCE, World, eventually


class Presence:
    """`world` is a fixture of whoever derives from this."""

    @pytest.fixture
    def shop(self, world: World) -> Shop:
        return Shop(world.name)

    async def pod(self, world: World, shop: Shop, name: str = "a", **settings: Any) -> Pod:
        return await world.pod(shop.app, name, **({"beat_interval": 0.1} | settings))

    async def seen(self, world: World, state: str, name: str = "a", **said: Any) -> Worker:
        """Wait until the worker is seen so."""

        async def look() -> Worker | None:
            for worker in await read_workers(world.log, world.name):
                found = {key: getattr(worker.said, key) for key in said}
                if (worker.name, worker.state, found) == (name, state, said):
                    return worker
            return None

        found = await eventually(look)
        assert found is not None
        return found

    async def test_a_pod_is_seen_with_what_it_runs_and_since_when(
        self, world: World, shop: Shop
    ) -> None:
        began = wall_clock()
        await self.pod(world, shop, slots=7)
        idle = await self.seen(world, "working", partitions=(0, 1), busy=0)
        assert (idle.said.slots, idle.said.running, idle.said.interval) == (7, (), 100)
        assert began <= idle.said.started_at <= wall_clock()
        client = await world.client(shop.app)
        handle = await client.submit(shop.charge, Order(hang="charge"))
        ctx = await shop.begins("charge")
        busy = await self.seen(world, "working", busy=1)
        (running,) = busy.said.running
        assert (running.instance, running.operation, running.phase) == (
            ctx.instance,
            "charge",
            "forward",
        )
        assert began <= running.since <= wall_clock()
        shop.let_go.set()
        await handle.result(PATIENCE)
        await self.seen(world, "working", busy=0)

    async def test_one_that_ends_in_order_is_seen_no_more(self, world: World, shop: Shop) -> None:
        pod = await self.pod(world, shop)
        await self.seen(world, "working")
        await pod.stop()
        assert await read_workers(world.log, world.name) == []

    async def test_one_that_beats_no_more_is_gone(self, world: World, shop: Shop) -> None:
        pod = await self.pod(world, shop)
        worker = await self.seen(world, "working")
        await pod._presence.close()  # silent, and the tombstone is as if it never came
        before = [r for r in await world.records("workers") if r.value is not None]
        await world.put("workers", b"a", before[-1].value)
        (late,) = await read_workers(world.log, world.name, lambda: wall_clock() + 400)
        assert (late.name, late.state, late.said.life) == ("a", "gone", worker.said.life)
        assert await read_workers(world.log, world.name, lambda: wall_clock() + 3_700_000) == []

    async def test_one_that_is_drained_finishes_leaves_and_stays_idle(
        self, world: World, shop: Shop
    ) -> None:
        pod = await self.pod(world, shop)
        client = await world.client(shop.app)
        running = await client.submit(shop.charge, Order(hang="charge"))
        await shop.begins("charge")
        await drain_worker(world.log, world.name, "a", by="ann", reason="a new kernel")
        await self.seen(world, "draining", busy=1)
        shop.let_go.set()
        await running.result(PATIENCE)
        drained = await self.seen(world, "drained", partitions=(), busy=0)
        assert pod.owners == {}
        waiting = await client.submit(shop.charge, Order())
        await self.pod(world, shop, "b")
        await waiting.result(PATIENCE)
        assert len(shop.called(running.id)) == 1
        assert (await self.seen(world, "working", "b")).said.life != drained.said.life

    async def test_what_does_not_end_in_time_runs_elsewhere(self, world: World, shop: Shop) -> None:
        await self.pod(world, shop, give_up_timeout=0.2)
        client = await world.client(shop.app)
        running = await client.submit(shop.charge, Order(hang="charge"))
        await shop.begins("charge")
        await drain_worker(world.log, world.name, "a")
        await self.seen(world, "drained")
        await self.pod(world, shop, "b")
        await shop.begins("charge")
        shop.let_go.set()
        await running.result(PATIENCE)
        assert len(shop.called(running.id)) == 2

    async def test_an_order_is_for_one_name_and_one_life(self, world: World, shop: Shop) -> None:
        await drain_worker(world.log, world.name, "a")
        pod = await self.pod(world, shop)
        twin = next(
            name
            for name in (f"n{n}" for n in range(99))
            if partition_of(name.encode(), 2) == partition_of(b"a", 2)
        )
        await drain_worker(world.log, world.name, twin)
        client = await world.client(shop.app)
        await (await client.submit(shop.charge, Order())).result(PATIENCE)
        assert (await self.seen(world, "working", partitions=(0, 1))).said.busy == 0
        assert len(pod.owners) == 2

    async def test_without_its_topic_a_pod_works_unseen(
        self, world: World, shop: Shop, caplog: pytest.LogCaptureFixture
    ) -> None:
        pod = await self.pod(world, shop)
        pod._presence._topic = "no.such.topic"
        await pod._presence.close()
        await pod._presence.open()
        client = await world.client(shop.app)
        await (await client.submit(shop.charge, Order())).result(PATIENCE)
        assert "this worker is not seen by others" in caplog.text
