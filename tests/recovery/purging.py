"""Purging a lane: what waits in it ends as cancelled, and who waits for it is told."""

import asyncio

import pytest

from sagalog.schemas.definition import Priority
from sagalog.schemas.topics import Topics
from sagalog.streams import Cancelled
from tests.recovery.shop import Order, Shop
from tests.recovery.world import PATIENCE, World, eventually


class Purging:
    """`world` is a fixture of whoever derives from this."""

    @pytest.fixture
    def shop(self, world: World) -> Shop:
        return Shop(world.name)

    async def test_what_waits_ends_as_cancelled_and_nothing_vanishes(
        self, world: World, shop: Shop
    ) -> None:
        lane: Priority = "low"
        client = await world.client(shop.app)
        order = await client.start(shop.order, Order(), priority=lane)
        handles = await client.submit_many(shop.charge, [Order()] * 40, priority=lane)
        other = await client.submit(shop.charge, Order(), priority="normal")
        ends = await client.purge(lane, "too many", by="ann")
        assert sum(ends.values()) == 41
        late = await client.submit(shop.charge, Order(), priority=lane)
        await world.pod(shop.app)
        for handle in (order, *handles):
            with pytest.raises(Cancelled, match="Purged: its lane was purged by ann: too many"):
                await handle.result(PATIENCE)
            assert await world.kinds(handle.id) == ["Started"]
        await asyncio.gather(other.result(PATIENCE), late.result(PATIENCE))
        assert {ctx.instance for ctx in shop.calls} == {other.id, late.id}

    async def test_what_came_after_the_ends_that_were_counted_runs(
        self, world: World, shop: Shop
    ) -> None:
        client = await world.client(shop.app)
        counted = await client.submit_many(shop.charge, [Order()] * 9, priority="low")
        topic = Topics(world.name).lane("low")
        places = [(topic, number) for number in range(await world.log.partitions(topic))]
        ends = await world.log.ends(places)
        late = await client.submit(shop.charge, Order(), priority="low")
        assert await client.purge("low", ends=ends) == ends
        await world.pod(shop.app)
        await late.result(PATIENCE)
        assert {(await one.outcome(PATIENCE)).status for one in counted} == {"cancelled"}

    async def test_of_the_lane_high_it_cancels_what_is_not_let_in_before_the_order(
        self, world: World, shop: Shop
    ) -> None:
        client = await world.client(shop.app)
        handles = await client.submit_many(shop.charge, [Order()] * 400, priority="high")
        await client.purge("high")
        await world.pod(shop.app, slots=4)
        outcomes = [(await handle.outcome(PATIENCE)).status for handle in handles]
        assert set(outcomes) <= {"cancelled", "completed"}
        assert outcomes.count("cancelled") > 200

    async def test_what_a_full_pod_has_read_is_purged_too(self, world: World, shop: Shop) -> None:
        pod = await world.pod(shop.app, slots=1)
        client = await world.client(shop.app)
        running = await client.submit(shop.charge, Order(hang="charge"), priority="low")
        await shop.begins("charge")
        handles = await client.submit_many(shop.charge, [Order()] * 20, priority="low")

        async def read() -> bool:
            return pod.stats().unread["low"] > 0

        await eventually(read)
        await client.purge("low")
        shop.let_go.set()
        assert (await running.result(PATIENCE)).step == "charge"
        outcomes = [(await handle.outcome(PATIENCE)).status for handle in handles]
        # The order comes in a lane of its own: what is let in before it goes on.
        assert set(outcomes) <= {"cancelled", "completed"}
        assert outcomes.count("cancelled") >= 10

    async def test_an_order_outlives_the_pod_that_took_it(self, world: World, shop: Shop) -> None:
        client = await world.client(shop.app)
        handles = await client.submit_many(shop.charge, [Order()] * 60, priority="low")
        await client.purge("low")
        pod = await world.pod(shop.app, member="a")
        await pod.stop()
        await world.pod(shop.app, member="b")
        for handle in handles:
            with pytest.raises(Cancelled):
                await handle.result(PATIENCE)
        assert shop.calls == []
