"""Schedules on a real log: started again and again, by whoever has their partition."""

from typing import Any

import pytest

from sagalog.engine import DeclarationError
from sagalog.schemas import facts as f
from sagalog.schemas.ids import schedule_id
from sagalog.streams import Cancelled, Conflict
from tests.recovery.shop import Order, Shop
from tests.recovery.world import PATIENCE, World, eventually

EVERY_SECOND = "* * * * * *"


class Scheduling:
    """`world` is a fixture of whoever derives from this."""

    @pytest.fixture
    def shop(self, world: World) -> Shop:
        return Shop(world.name)

    async def _fired(self, world: World, schedule: str) -> list[f.ScheduleFired]:
        facts = await world.facts(schedule)
        return [fact for fact in facts if isinstance(fact, f.ScheduleFired)]

    async def test_it_starts_an_operation_at_each_time_and_ends_when_it_is_cancelled(
        self, world: World, shop: Shop
    ) -> None:
        await world.pod(shop.app)
        client = await world.client(shop.app)
        nightly: dict[str, Any] = {"every": EVERY_SECOND, "key": "nightly", "confirm": True}
        schedule = await client.submit(shop.charge, Order(), **nightly)
        assert schedule.id == schedule_id("", "charge", "nightly")
        again = await client.submit(shop.charge, Order(), **nightly)
        assert again.id == schedule.id
        with pytest.raises(Conflict):
            await client.submit(shop.charge, Order(item="pen"), **nightly)
        for _ in range(2):
            call = await shop.begins("charge")
            assert call.key is not None
            assert call.key.startswith("nightly@20")
            started = await client.submit(shop.charge, Order(), key=call.key)
            assert started.id == call.instance
            assert (await started.result(PATIENCE)).key == call.idempotency_key
        await schedule.cancel("enough")
        with pytest.raises(Cancelled):
            await schedule.result(PATIENCE)
        fired = await self._fired(world, schedule.id)
        assert len({fact.fires for fact in fired}) == len(fired) >= 2
        assert shop.twice() == set()

    async def test_a_saga_can_be_scheduled_and_replaced(self, world: World, shop: Shop) -> None:
        await world.pod(shop.app)
        client = await world.client(shop.app)
        first = await client.start(shop.order, Order(), every="0 0 1 1 *", confirm=True)
        await client.start(
            shop.order,
            Order(item="pen"),
            every=EVERY_SECOND,
            zone="Europe/Berlin",
            priority="high",
            on_repeat="replace",
            confirm=True,
        )
        call = await shop.begins("ship")
        assert (call.name, call.priority) == ("order", "high")
        await first.cancel()
        with pytest.raises(Cancelled):
            await first.result(PATIENCE)
        kinds = await world.kinds(first.id)
        assert kinds[:3] == ["ScheduleStarted", "ScheduleReplaced", "ScheduleFired"]
        assert kinds[-2:] == ["CancelRequested", "Cancelled"]

    async def test_another_pod_goes_on_with_it(self, world: World, shop: Shop) -> None:
        pod = await world.pod(shop.app)
        client = await world.client(shop.app)
        schedule = await client.submit(shop.charge, Order(), every=EVERY_SECOND, confirm=True)
        await shop.begins("charge")
        await pod.stop()
        before = len(await self._fired(world, schedule.id))
        await world.pod(shop.app, member="b")
        await shop.begins("charge")

        async def more() -> bool:
            return len(await self._fired(world, schedule.id)) > before

        await eventually(more)
        assert shop.twice() == set()
        fired = await self._fired(world, schedule.id)
        assert len({fact.fires for fact in fired}) == len(fired)

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"every": "often"}, "every: 'often' is no cron expression: wrong number of fields"),
            ({"every": "0 2 * * *", "zone": "Mars"}, "zone: 'Mars' is no time zone"),
            ({"every": "0 2 * * *", "catch_up": "some"}, "Use one of latest, all, none"),
            ({"every": "0 2 * * *", "keep": 5}, "keep: 5 seconds are too short for a schedule"),
            ({"zone": "Europe/Berlin"}, "zone: is given without every"),
            ({"catch_up": "all"}, "catch_up: is given without every"),
            ({"on_repeat": "replace"}, "Use one of join, join-any, refuse"),
        ],
    )
    async def test_a_schedule_that_makes_no_sense_is_refused_at_the_door(
        self, world: World, shop: Shop, options: Any, sentence: str
    ) -> None:
        client = await world.client(shop.app)
        with pytest.raises(DeclarationError, match=sentence):
            await client.submit(shop.charge, Order(), **options)
        with pytest.raises(DeclarationError, match="every: is given for many inputs"):
            await client.submit_many(shop.charge, [Order()], every=EVERY_SECOND)
        assert await world.records("normal") == []
