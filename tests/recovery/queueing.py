"""What a queue's users ask for: later, many at once, not too late, kept as long, once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sagalog.engine import DeclarationError, InvalidInput
from sagalog.schemas import facts as f
from sagalog.streams import Cancelled, Conflict
from sagalog.streams.surroundings import wall_clock
from tests.recovery.shop import Order, Shop
from tests.recovery.world import PATIENCE, World, eventually


class Queueing:
    """`world` is a fixture of whoever derives from this. Of a `working` shop a pod works."""

    @pytest.fixture
    def shop(self, world: World) -> Shop:
        return Shop(world.name)

    @pytest.fixture
    async def working(self, world: World, shop: Shop) -> Shop:
        await world.pod(shop.app)
        return shop

    # -- later

    @pytest.mark.parametrize("how", ["delay", "at"])
    async def test_what_is_for_later_begins_then_and_not_before(
        self, world: World, working: Shop, how: str
    ) -> None:
        client = await world.client(working.app)
        when: dict[str, Any] = {"delay": 0.4}
        if how == "at":
            when = {"at": datetime.now(UTC) + timedelta(seconds=0.4)}
        later = await client.submit(working.charge, Order(), **when)
        order = await client.start(working.order, Order(), **when)
        await later.result(PATIENCE)
        await order.result(PATIENCE)
        for instance in (later.id, order.id):
            messages = await world.messages("events", instance)
            started, first = messages[0], messages[1]
            assert isinstance(first.data, f.StepCompleted)
            waited = datetime.fromisoformat(first.time) - datetime.fromisoformat(started.time)
            assert waited >= timedelta(seconds=0.3)

    async def test_what_waits_for_its_time_takes_no_slot_and_can_be_cancelled(
        self, world: World, working: Shop
    ) -> None:
        client = await world.client(working.app)
        far = await client.submit_many(working.ship, [Order()] * 300, delay=3600)
        await (await client.submit(working.charge, Order())).result(PATIENCE)
        for handle in far[:2]:
            await handle.cancel()
            with pytest.raises(Cancelled):
                await handle.result(PATIENCE)
        assert "ship" not in {call.step for call in working.calls if call.phase == "forward"}

    # -- not too late

    async def test_what_waited_longer_than_it_was_to_is_not_begun(
        self, world: World, shop: Shop
    ) -> None:
        client = await world.client(shop.app)
        late = await client.submit(shop.charge, Order(item="late"), queue_limit=0.001)
        fresh = await client.submit(shop.charge, Order(item="fresh"), queue_limit=3600)
        sent = {record.key: record.timestamp for record in await world.records("normal")}
        await eventually(lambda: self._is_past(sent[late.id.encode()] + 1))
        await world.pod(shop.app)
        with pytest.raises(Cancelled, match="Expired: it waited longer"):
            await late.result(PATIENCE)
        assert (await fresh.result(PATIENCE)).item == "fresh"
        assert await world.kinds(late.id) == ["Started"]
        assert shop.called(late.id) == []

    async def _is_past(self, at: int) -> bool:
        return wall_clock() > at

    # -- many at once

    async def test_many_are_sent_at_once_and_each_tells_its_end(
        self, world: World, working: Shop
    ) -> None:
        client = await world.client(working.app)
        orders = [Order(item=f"i{n}") for n in range(200)]
        handles = await client.submit_many(working.charge, orders, priority="low")
        assert len({handle.id for handle in handles}) == 200
        results = await asyncio.gather(*(handle.result(PATIENCE) for handle in handles))
        assert [result.item for result in results] == [order.item for order in orders]
        assert {call.priority for call in working.calls} == {"low"}

    async def test_many_with_keys_can_be_sent_again(self, world: World, working: Shop) -> None:
        client = await world.client(working.app)
        orders, keys = [Order(item=f"i{n}") for n in range(20)], [f"k{n}" for n in range(20)]
        first = await client.submit_many(working.charge, orders, keys=keys)
        again = await client.submit_many(working.charge, orders, keys=keys)
        assert [handle.id for handle in first] == [handle.id for handle in again]
        await asyncio.gather(*(handle.result(PATIENCE) for handle in (*first, *again)))
        assert len(working.calls) == 20

    async def test_one_bad_input_among_many_sends_none(self, world: World, working: Shop) -> None:
        client = await world.client(working.app)
        with pytest.raises(InvalidInput):
            await client.submit_many(working.charge, [Order(), {"item": 7}])
        with pytest.raises(DeclarationError, match="keys: has 1 for 2 inputs"):
            await client.submit_many(working.charge, [Order(), Order()], keys=["a"])
        assert await world.records("normal") == []

    # -- once

    async def test_a_repeat_gets_what_it_asks_for(self, world: World, working: Shop) -> None:
        shop = working
        client = await world.client(shop.app)
        first = await client.submit(shop.charge, Order(item="a", hang="charge"), key="k")
        await shop.begins("charge")
        any_ = await client.submit(shop.charge, Order(item="b"), key="k", on_repeat="join-any")
        refused = await client.submit(
            shop.charge, Order(item="a", hang="charge"), key="k", on_repeat="refuse"
        )
        with pytest.raises(Conflict):
            await refused.result(PATIENCE)
        shop.let_go.set()
        assert (await any_.result(PATIENCE)).item == "a"
        assert (await first.result(PATIENCE)).item == "a"
        assert len(shop.called(first.id)) == 1

    async def test_refusing_repeats_does_not_refuse_its_own(self, world: World, shop: Shop) -> None:
        """An unanswered request is sent again by itself: that is no repeat of somebody."""
        client = await world.client(shop.app)
        sole = await client.submit(shop.charge, Order(), key="k", on_repeat="refuse")
        waiting = sole._waiting
        assert waiting is not None
        await world.log.append(waiting.topic, waiting.partition, [waiting.entry])
        await world.pod(shop.app)
        assert (await sole.result(PATIENCE)).step == "charge"

    # -- the door

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"delay": -1}, "delay: -1 is no duration"),
            ({"delay": 1, "at": datetime.now(UTC)}, "at: is given together with delay"),
            ({"at": datetime(2030, 1, 1)}, "has no time zone"),  # noqa: DTZ001
            ({"priority": "urgent"}, "Use one of high, normal, low"),
            ({"on_repeat": "replace"}, "Use one of join, join-any, refuse"),
            ({"queue_limit": float("inf")}, "queue_limit: inf is no duration"),
        ],
    )
    async def test_an_option_that_makes_no_sense_is_refused_at_the_door(
        self, world: World, shop: Shop, options: Any, sentence: str
    ) -> None:
        client = await world.client(shop.app)
        with pytest.raises(DeclarationError, match=sentence):
            await client.submit(shop.charge, Order(), **options)
        assert await world.records("normal") == []

    async def test_a_tenant_that_could_pass_for_another_s_key_is_refused(
        self, world: World, shop: Shop
    ) -> None:
        client = await world.client(shop.app, tenant="a\0charge")
        with pytest.raises(DeclarationError, match="tenant: holds a NUL"):
            await client.submit(shop.charge, Order(), key="k")
