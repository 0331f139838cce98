"""A pod under load ends in order, within ten seconds."""

import asyncio
import time

import pytest

from sagalog.schemas.definition import PRIORITIES
from tests.recovery.shop import Order, Shop
from tests.recovery.world import PATIENCE, World, eventually

ORDERLY = 10.0


class Stopping:
    """`world` is a fixture of whoever derives from this."""

    @pytest.fixture
    def shop(self, world: World) -> Shop:
        return Shop(world.name)

    async def test_under_load_and_with_handlers_that_do_not_end_a_stop_takes_ten_seconds_at_most(
        self, world: World, shop: Shop
    ) -> None:
        pod = await world.pod(shop.app, slots=32)
        client = await world.client(shop.app)
        stuck = [await client.submit(shop.ship, Order(hang="ship")) for _ in range(8)]
        for lane in PRIORITIES:
            await client.submit_many(shop.charge, [Order()] * 300, priority=lane)

        async def under_load() -> bool:
            return len(shop.calls) > 100

        await eventually(under_load)
        began = time.monotonic()
        await asyncio.wait_for(pod.stop(), ORDERLY)
        assert time.monotonic() - began < ORDERLY
        assert pod.owners == {}
        called = len(shop.calls)
        shop.let_go.set()
        await world.pod(shop.app, "b", slots=64)
        for handle in stuck:
            assert (await handle.result(PATIENCE)).step == "ship"

        async def all_done() -> bool:
            status = await client.status()
            return status.total.get("completed") == 908

        await eventually(all_done, patience=40, pause=0.3)
        # What had ended and was appended at the stop did not run again.
        assert len(shop.calls) - called <= 908 - called + 8 + 32
