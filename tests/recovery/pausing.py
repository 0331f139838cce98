"""What people pause: an operation or a lane, in every partition, until they resume it."""

from typing import Any

import pytest

from sagalog.engine import DeclarationError
from sagalog.schemas.partitioner import partition_of
from sagalog.streams import Client, Handle, Hold
from tests.recovery.shop import Order, Shop
from tests.recovery.world import PATIENCE, World, eventually


class Pausing:
    """`world` is a fixture of whoever derives from this."""

    @pytest.fixture
    def shop(self, world: World) -> Shop:
        return Shop(world.name)

    async def test_a_paused_operation_waits_in_every_partition_and_others_pass(
        self, world: World, shop: Shop
    ) -> None:
        await world.pod(shop.app)
        client = await world.client(shop.app)
        await client.pause(shop.charge, reason="the bank is down", by="ann")
        handles = [await client.submit(shop.charge, Order(), key=f"k{n}") for n in range(20)]
        numbers = {partition_of(handle.id.encode(), world.partitions) for handle in handles}
        assert numbers == set(range(world.partitions))
        await self._pass(client, shop)
        assert {call.step for call in shop.calls} == {"ship"}
        await client.resume(shop.charge)
        for handle in handles:
            await handle.result(PATIENCE)

    async def _pass(self, client: Client, shop: Shop, name: str = "pass") -> None:
        """Others of the same lane, behind them in every partition, run to their ends."""
        for n in range(8):
            await (await client.submit(shop.ship, Order(), key=f"{name}{n}")).result(PATIENCE)

    async def test_more_than_all_slots_wait_and_others_pass(self, world: World, shop: Shop) -> None:
        await world.pod(shop.app, slots=2)
        client = await world.client(shop.app)
        await client.pause("charge")
        held = await client.submit_many(shop.charge, [Order()] * 50)
        await self._pass(client, shop)
        await client.resume("charge")
        for handle in held:
            await handle.result(PATIENCE)

    async def test_a_pause_holds_where_no_pod_runs_yet_and_survives_every_one(
        self, world: World, shop: Shop
    ) -> None:
        client = await world.client(shop.app)
        await client.pause("charge")
        order = await client.start(shop.order, Order())
        for member in ("a", "b"):
            pod = await world.pod(shop.app, member)
            await eventually(lambda: self._has(world, order, "StepCompleted"))
            await self._pass(client, shop, member)
            await pod.stop()
        assert shop.called(order.id) == ["reserve"]
        await world.pod(shop.app, "c")
        await client.resume("charge")
        await order.result(PATIENCE)
        assert shop.called(order.id) == ["reserve", "charge", "ship"]

    async def _has(self, world: World, handle: Handle[Any], kind: str) -> bool:
        return kind in await world.kinds(handle.id)

    async def test_a_paused_lane_keeps_its_backlog_in_the_log(
        self, world: World, shop: Shop
    ) -> None:
        await world.pod(shop.app)
        client = await world.client(shop.app)
        await client.pause(lane="low")
        await self._pass(client, shop, "read")
        low = [await client.submit(shop.charge, Order(), priority="low") for _ in range(10)]
        await self._pass(client, shop)
        assert not [await world.kinds(handle.id) for handle in low if await world.kinds(handle.id)]
        await client.resume(lane="low")
        for handle in low:
            await handle.result(PATIENCE)
        assert shop.twice() == set()

    async def test_a_lane_that_is_paused_and_resumed_loses_nothing(
        self, world: World, shop: Shop
    ) -> None:
        await world.pod(shop.app, slots=4)
        client = await world.client(shop.app)
        handles = []
        for n in range(10):
            handles += await client.submit_many(shop.charge, [Order()] * 20)
            verb = client.resume if n % 2 else client.pause
            await verb(lane="normal")
        for handle in handles:
            await handle.result(PATIENCE)
        assert len(shop.calls) == 200

    async def test_undos_are_held_with_their_lane(self, world: World, shop: Shop) -> None:
        await world.pod(shop.app)
        client = await world.client(shop.app)
        await client.pause(lane="compensations")
        await self._pass(client, shop, "read")
        order = await client.start(shop.order, Order(fail="charge"))
        await eventually(lambda: self._has(world, order, "StepFailed"))
        await self._pass(client, shop)
        assert "-reserve" not in shop.called(order.id)
        await client.resume(lane="compensations")
        assert (await order.outcome(PATIENCE)).status == "compensated"

    async def test_what_is_held_is_told_from_the_log(self, world: World, shop: Shop) -> None:
        client = await world.client(world.name)
        await client.pause("charge", reason="down", by="ann")
        await client.pause(lane="low", by="bob")
        for held in (await client.pauses(), await self._checkpointed(world, shop, client)):
            assert {(hold.what, hold.reason, hold.by) for hold in held} == {
                ("operation charge", "down", "ann"),
                ("lane low", "", "bob"),
            }
            assert {hold.partitions for hold in held} == {tuple(range(world.partitions))}
        await client.resume("charge")
        await client.resume(lane="low")
        assert await client.pauses() == []

    async def _checkpointed(self, world: World, shop: Shop, client: Client) -> list[Hold]:
        """What is told when a pod has written it into its tables."""
        pod = await world.pod(shop.app)
        await self._pass(client, shop)
        await pod.stop()
        return await client.pauses()

    @pytest.mark.parametrize(
        ("operation", "lane", "sentence"),
        [
            ("", "", "names not exactly one"),
            ("charge", "low", "names not exactly one"),
            ("", "urgent", "Use one of high, normal, low, compensations"),
            ("charg", "", "Did you mean 'charge'?"),
            ("order", "", "order is a saga"),
            ("payments/charge", "", "Pause it in payments"),
        ],
    )
    async def test_what_cannot_be_paused_is_refused_at_the_door(
        self, world: World, shop: Shop, operation: str, lane: str, sentence: str
    ) -> None:
        client = await world.client(shop.app)
        with pytest.raises(DeclarationError, match=sentence):
            await client.pause(operation, lane=lane)
        assert await world.records("events") == []
