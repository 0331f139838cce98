"""How an app stands: what waits, what is under way, and of whom."""

import pytest

from sagalog.schemas.topics import LANES
from sagalog.streams import Observer, Status
from sagalog.streams.status import LaneStatus
from sagalog.streams.surroundings import wall_clock
from tests.recovery.shop import Order, Shop
from tests.recovery.world import PATIENCE, World, eventually


def lane(status: Status, name: str) -> LaneStatus:
    (found,) = (one for one in status.lanes if one.lane == name)
    return found


class Standing:
    """`world` is a fixture of whoever derives from this."""

    @pytest.fixture
    def shop(self, world: World) -> Shop:
        return Shop(world.name)

    async def test_of_an_idle_app_nothing_waits_and_nothing_is_counted(
        self, world: World, shop: Shop
    ) -> None:
        status = await (await world.client(shop.app)).status()
        assert [one.lane for one in status.lanes] == list(LANES)
        assert status.lanes[0] == LaneStatus("high", 0, None, None, None, 0)
        assert (status.operations, status.tenants, status.interval) == ({}, {}, None)

    async def test_what_no_pod_has_read_is_queued_and_its_age_is_known(
        self, world: World, shop: Shop
    ) -> None:
        client = await world.client(shop.app, tenant="acme")
        await client.submit_many(shop.charge, [Order()] * 30, priority="low")
        await client.start(shop.order, Order())
        first = min(record.timestamp for record in await world.records("low"))
        status = await client.status()
        age = wall_clock() - first
        low = lane(status, "low")
        assert (low.depth, low.in_flight) == (30, 0)
        assert low.oldest_wait is not None
        assert 0 <= low.oldest_wait <= age
        assert lane(status, "normal").depth == 1
        assert lane(status, "high").oldest_wait is None
        assert status.operations == {"charge": {"queued": 30}, "order": {"queued": 1}}
        assert status.tenants == {"acme": {"queued": 31}}
        assert status.unknown == 0

    async def test_what_is_not_looked_into_is_told_as_unknown(
        self, world: World, shop: Shop
    ) -> None:
        client = await world.client(shop.app)
        await client.submit_many(shop.charge, [Order()] * 40)
        status = await Observer(world.log, world.name, most=20).look()
        assert status.total["queued"] + status.unknown == 40
        assert status.unknown >= 20

    async def test_each_state_is_counted_for_operations_and_tenants(
        self, world: World, shop: Shop
    ) -> None:
        await world.pod(shop.app)
        client = await world.client(shop.app)
        hanging = await client.submit(shop.ship, Order(hang="ship"), priority="high")
        await shop.begins("ship")
        client.tenant = "acme"
        await (await client.submit(shop.charge, Order())).result(PATIENCE)
        await (await client.start(shop.order, Order(fail="ship"))).outcome(PATIENCE)
        await (await client.start(shop.order, Order(fail="ship", stick="refund"))).outcome(PATIENCE)
        client.tenant = ""
        await client.submit(shop.charge, Order(), delay=3600, confirm=True)
        await (await client.submit(shop.charge, Order(fail="charge"))).outcome(PATIENCE)
        status = await client.status()
        assert status.operations == {
            "charge": {"scheduled": 1, "dead": 1, "completed": 1},
            "order": {"stuck": 1, "compensated": 1},
            "ship": {"running": 1},
        }
        assert status.tenants == {
            "": {"scheduled": 1, "running": 1, "dead": 1},
            "acme": {"stuck": 1, "completed": 1, "compensated": 1},
        }
        assert lane(status, "high").in_flight == 1
        shop.let_go.set()
        await hanging.result(PATIENCE)

    async def test_rates_are_those_since_the_look_before(self, world: World, shop: Shop) -> None:
        client = await world.client(shop.app)
        first = await client.status()

        async def later() -> bool:
            return wall_clock() > first.at

        await eventually(later)
        await client.submit_many(shop.charge, [Order()] * 20)
        second = await client.status()
        assert second.interval == second.at - first.at
        normal = lane(second, "normal")
        assert normal.rate_in is not None
        assert round(normal.rate_in * second.interval / 1000) == 20
        assert normal.rate_out == 0
        await world.pod(shop.app)

        async def done() -> Status | None:
            look = await client.status()
            return look if look.total.get("completed") == 20 else None

        await eventually(done)

        async def gone() -> bool:
            return lane(await client.status(), "normal").depth == 0

        await eventually(gone)
        third = await client.status()
        assert third.operations == {"charge": {"completed": 20}}
        assert lane(third, "normal").oldest_wait is None

    async def test_a_full_pod_knows_how_long_the_oldest_has_waited(
        self, world: World, shop: Shop
    ) -> None:
        pod = await world.pod(shop.app, slots=1)
        client = await world.client(shop.app)
        await client.submit(shop.charge, Order(hang="charge"))
        await shop.begins("charge")
        assert set(pod.stats().oldest_wait.values()) == {0}
        await client.submit(shop.ship, Order(), priority="low")

        async def waits() -> bool:
            return pod.stats().unread["low"] == 1 and pod.stats().oldest_wait["low"] > 10

        await eventually(waits)
        stats = pod.stats()
        (waiting,) = await world.records("low")
        assert stats.oldest_wait["low"] <= wall_clock() - waiting.timestamp
        assert (stats.running, stats.slots) == (1, 1)
        shop.let_go.set()
        await shop.begins("ship")
