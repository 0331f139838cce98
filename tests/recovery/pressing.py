"""A producer that fills a lane without bound is told so at the door, and when to come again."""

import pytest

from sagalog.streams import Backpressure
from sagalog.streams.backpressure import GUESS, MOST
from sagalog.streams.surroundings import wall_clock
from tests.recovery.shop import Order, Shop
from tests.recovery.world import PATIENCE, World, eventually


class Ahead:
    """A clock that is put forward."""

    by = 0

    def __call__(self) -> int:
        return wall_clock() + self.by


class Pressing:
    """`world` is a fixture of whoever derives from this."""

    @pytest.fixture
    def shop(self, world: World) -> Shop:
        return Shop(world.name)

    async def test_over_the_limit_nothing_is_sent_and_the_error_says_what_to_do(
        self, world: World, shop: Shop
    ) -> None:
        client = await world.client(shop.app, backlog_limit=10)
        await client.submit_many(shop.charge, [Order()] * 10, priority="low")
        for send in (
            lambda: client.submit(shop.charge, Order(), priority="low"),
            lambda: client.submit_many(shop.charge, [Order()] * 3, priority="low"),
            lambda: client.start(shop.order, Order(), priority="low"),
        ):
            with pytest.raises(Backpressure) as told:
                await send()
            error = told.value
            assert (error.lane, error.depth, error.limit) == ("low", 10, 10)
            assert error.retry_after == GUESS
            assert "lane low holds 10 requests, over the limit of 10" in str(error)
        assert len(await world.records("low")) == 10
        await client.submit(shop.charge, Order(), priority="high")

    async def test_what_others_have_sent_counts_and_without_a_limit_nothing_does(
        self, world: World, shop: Shop
    ) -> None:
        free = await world.client(shop.app)
        await free.submit_many(shop.charge, [Order()] * 12)
        with pytest.raises(Backpressure):
            await (await world.client(shop.app, backlog_limit=12)).submit(shop.charge, Order())
        await free.submit(shop.charge, Order())
        await (await world.client(shop.app, backlog_limit=14)).submit(shop.charge, Order())

    async def test_questions_and_cancels_pass(self, world: World, shop: Shop) -> None:
        client = await world.client(shop.app, backlog_limit=1)
        handle = await client.submit(shop.charge, Order(), delay=3600)
        with pytest.raises(Backpressure):
            await client.submit(shop.charge, Order())
        await handle.cancel()
        await client.get(handle.id, wait=False)

    async def test_when_the_lane_has_drained_producers_come_in_again(
        self, world: World, shop: Shop
    ) -> None:
        clock = Ahead()
        client = await world.client(shop.app, backlog_limit=10, clock=clock)
        handles = await client.submit_many(shop.charge, [Order()] * 30)
        with pytest.raises(Backpressure):
            await client.submit(shop.charge, Order())
        clock.by += 6_000
        with pytest.raises(Backpressure) as nobody_works:
            await client.submit(shop.charge, Order())
        assert nobody_works.value.retry_after == MOST
        await world.pod(shop.app)
        for handle in handles:
            await handle.result(PATIENCE)

        async def enters() -> bool:
            clock.by += 6_000
            try:
                await client.submit(shop.charge, Order())
            except Backpressure:
                return False
            return True

        await eventually(enters)
