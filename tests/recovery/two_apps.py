"""Steps that run elsewhere: in another app, or spread over the partitions of their own."""

import asyncio
from typing import Any

import pytest

from sagalog.engine import App, Context, Retry, Terminal, step
from sagalog.schemas import facts as f
from sagalog.schemas.definition import Json
from sagalog.schemas.ids import child_id
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.topics import Topics
from sagalog.streams import Cancelled, TurnedBack
from tests.recovery.shop import Order, Shop
from tests.recovery.world import PATIENCE, World, eventually

QUICK = Retry(max_attempts=3, first=0.02, factor=1, jitter=0)


class Shipping:
    """The other app: it packs and ships, in topics of another width."""

    def __init__(self, world: World) -> None:
        self.name, self.world = f"{world.name}-shipping", world
        self.app = App(self.name)
        self.calls: list[Context] = []
        self.let_go, self.began = asyncio.Event(), asyncio.Event()
        self.broken = ""
        unpack, recall = self._undo("unpack"), self._undo("recall")
        self.pack = self.app.operation(undo=unpack, name="pack")(self._handler("pack"))
        self.ship = self.app.operation(undo=recall, name="ship", retry=QUICK)(self._handler("ship"))
        self.app.saga("deliver", step(self.pack), step(self.ship))

    def _handler(self, name: str) -> Any:
        async def handle(order: Json, ctx: Context) -> Json:
            self.calls.append(ctx)
            self.began.set()
            if order.get("hang") == f"there-{name}":
                await self.let_go.wait()
            if order.get("fail") == f"there-{name}":
                raise Terminal(f"cannot {name}")
            if order.get("flaky") == f"there-{name}" and ctx.attempt < 3:
                raise ValueError("stumbles")
            return {"by": name, "attempt": ctx.attempt}

        return handle

    def _undo(self, name: str) -> Any:
        async def undo(_: Json, ctx: Context) -> None:
            self.calls.append(ctx)

        return self.app.operation(name=name)(undo)

    async def open(self) -> None:
        """Make its topics."""
        await self.world.log.create(Topics(self.name).specs(3))

    def called(self) -> list[str]:
        """Its calls, those undone with a minus."""
        return [("-" if ctx.phase == "undo" else "") + ctx.step for ctx in self.calls]

    async def kinds(self, instance: str) -> list[str]:
        """The facts of an instance of this app."""
        other = World(self.name, lambda: self.world.log, partitions=3)
        other.log = self.world.log
        return await other.kinds(instance)


class TwoApps:
    """`world` is a fixture of whoever derives from this."""

    @pytest.fixture
    def shop(self, world: World) -> Shop:
        return Shop(world.name)

    @pytest.fixture
    async def shipping(self, world: World) -> Shipping:
        return Shipping(world)

    async def both(self, world: World, shop: Shop, shipping: Shipping) -> None:
        await shipping.open()
        await world.pod(shop.app)
        await world.pod(shipping.app)

    @pytest.mark.parametrize("target", ["ship", "deliver"])
    async def test_a_step_runs_in_another_app_and_its_result_comes_back(
        self, world: World, shop: Shop, shipping: Shipping, target: str
    ) -> None:
        await self.both(world, shop, shipping)
        saga = shop.app.saga(
            "far", step(shop.reserve), step(f"{shipping.name}/{target}"), step(shop.charge)
        )
        client = await world.client(shop.app, tenant="t")
        given = {"flaky": "there-ship"}
        handle = await client.start(saga, given, priority="high")
        outcome = await handle.result(PATIENCE)
        shipped = {"by": "ship", "attempt": 3}
        whole = {"pack": {"by": "pack", "attempt": 1}, "ship": shipped}
        assert outcome.results[target] == (shipped if target == "ship" else whole)
        assert shop.called(handle.id) == ["reserve", "charge"]
        assert {(c.priority, c.tenant) for c in shipping.calls} == {("high", "t")}
        started = (await world.facts(handle.id))[0]
        child = child_id(started.run, target)
        assert {c.instance for c in shipping.calls} == {child}
        # The parent may end before its child has written that it was told.
        await eventually(lambda: self._has(shipping, child, "OutcomeDelivered"))
        assert (await shipping.kinds(child))[-2:] == ["Completed", "OutcomeDelivered"]

    async def test_a_step_that_fails_there_turns_the_saga_back_here(
        self, world: World, shop: Shop, shipping: Shipping
    ) -> None:
        await self.both(world, shop, shipping)
        saga = shop.app.saga("far", step(shop.reserve), step(f"{shipping.name}/deliver"))
        client = await world.client(shop.app)
        handle = await client.start(saga, {"fail": "there-ship"})
        with pytest.raises(TurnedBack, match="Terminal: cannot ship"):
            await handle.result(PATIENCE)
        assert shipping.called() == ["pack", "ship", "-pack"]
        assert shop.called(handle.id) == ["reserve", "-reserve"]

    @pytest.mark.parametrize("target", ["ship", "deliver"])
    async def test_what_completed_there_is_undone_there_in_its_turn(
        self, world: World, shop: Shop, shipping: Shipping, target: str
    ) -> None:
        await self.both(world, shop, shipping)
        saga = shop.app.saga(
            "far", step(shop.reserve), step(f"{shipping.name}/{target}"), step(shop.charge)
        )
        client = await world.client(shop.app)
        handle = await client.start(saga, {"fail": "charge"})
        with pytest.raises(TurnedBack, match="no charge today"):
            await handle.result(PATIENCE)
        undone = [x.step for x in await world.facts(handle.id) if isinstance(x, f.StepCompensated)]
        assert undone == [target, "reserve"]
        assert (
            shipping.called()
            == {
                "ship": ["ship", "-ship"],
                "deliver": ["pack", "ship", "-ship", "-pack"],
            }[target]
        )
        child = child_id((await world.facts(handle.id))[0].run, target)
        assert "Compensated" in await shipping.kinds(child)

    async def test_a_cancel_crosses_and_what_runs_there_is_undone(
        self, world: World, shop: Shop, shipping: Shipping
    ) -> None:
        await self.both(world, shop, shipping)
        saga = shop.app.saga("far", step(shop.reserve), step(f"{shipping.name}/deliver"))
        client = await world.client(shop.app)
        handle = await client.start(saga, {"hang": "there-ship"})
        await eventually(lambda: self._true(shipping.called() == ["pack", "ship"]))
        await handle.cancel()
        child = child_id((await world.facts(handle.id))[0].run, "deliver")
        await eventually(lambda: self._has(shipping, child, "CompensationRequested"))
        shipping.let_go.set()
        with pytest.raises(Cancelled):
            await handle.result(PATIENCE)
        assert shipping.called() == ["pack", "ship", "-ship", "-pack"]
        assert shop.called(handle.id) == ["reserve", "-reserve"]

    async def test_a_cancel_reaches_all_branches_at_once(
        self, world: World, shop: Shop, shipping: Shipping
    ) -> None:
        await self.both(world, shop, shipping)
        saga = shop.app.saga(
            "far", step(f"{shipping.name}/pack"), step(f"{shipping.name}/deliver", after=())
        )
        client = await world.client(shop.app)
        handle = await client.start(saga, {"hang": "there-pack"})
        await eventually(lambda: self._true(shipping.called() == ["pack", "pack"]))
        await handle.cancel()
        run = (await world.facts(handle.id))[0].run
        first, last = child_id(run, "pack"), child_id(run, "deliver")
        await eventually(lambda: self._has(shipping, first, "CancelRequested"))
        await eventually(lambda: self._has(shipping, last, "CompensationRequested"))
        shipping.let_go.set()
        with pytest.raises(Cancelled):
            await handle.result(PATIENCE)
        assert sorted(shipping.called()) == ["-pack", "-pack", "pack", "pack"]

    async def test_a_step_that_takes_too_long_there_is_given_up_and_undone(
        self, world: World, shop: Shop, shipping: Shipping
    ) -> None:
        await self.both(world, shop, shipping)
        saga = shop.app.saga("far", step(shop.reserve), step(f"{shipping.name}/ship", timeout=0.3))
        client = await world.client(shop.app)
        handle = await client.start(saga, {"hang": "there-ship"})
        await eventually(lambda: self._failed(world, handle.id))
        shipping.let_go.set()
        with pytest.raises(TurnedBack, match="gave no outcome within 300 ms"):
            await handle.result(PATIENCE)
        await eventually(lambda: self._true(shipping.called() == ["ship", "-ship"]))
        assert shop.called(handle.id) == ["reserve", "-reserve"]

    async def test_a_request_waits_for_topics_that_are_not_there_yet(
        self, world: World, shop: Shop, shipping: Shipping
    ) -> None:
        await world.pod(shop.app)
        saga = shop.app.saga("far", step(shop.reserve), step(f"{shipping.name}/ship"))
        client = await world.client(shop.app)
        far = await client.start(saga, {})
        await eventually(lambda: self._has(world, far.id, "StepCompleted"))
        near = await client.start(shop.order, Order())
        assert (await near.result(PATIENCE)).status == "completed"
        assert await world.kinds(far.id) == ["Started", "StepCompleted"]
        await shipping.open()
        await world.pod(shipping.app)
        assert (await far.result(PATIENCE)).status == "completed"
        assert shipping.called() == ["ship"]

    async def test_a_request_waits_for_a_pod_over_there(
        self, world: World, shop: Shop, shipping: Shipping
    ) -> None:
        await shipping.open()
        first = await world.pod(shop.app)
        saga = shop.app.saga("far", step(shop.reserve), step(f"{shipping.name}/ship"))
        client = await world.client(shop.app)
        handle = await client.start(saga, {})
        await eventually(lambda: self._has(world, handle.id, "StepCompleted"))
        await first.stop()
        await world.pod(shop.app)
        await world.pod(shipping.app)
        assert (await handle.result(PATIENCE)).status == "completed"
        assert shipping.called() == ["ship"], "asked twice, done once"

    async def test_an_outcome_waits_for_the_pod_that_asked(
        self, world: World, shop: Shop, shipping: Shipping
    ) -> None:
        await shipping.open()
        first = await world.pod(shop.app)
        saga = shop.app.saga("far", step(shop.reserve), step(f"{shipping.name}/ship"))
        client = await world.client(shop.app)
        handle = await client.start(saga, {})
        await eventually(lambda: self._has(world, handle.id, "StepCompleted"))
        await first.stop()
        there = await world.pod(shipping.app)
        await eventually(lambda: self._done(world, handle.id, 2))
        await there.stop()
        await world.pod(shop.app)
        assert (await handle.result(PATIENCE)).status == "completed"

    async def test_an_operation_unknown_over_there_turns_the_saga_back(
        self, world: World, shop: Shop, shipping: Shipping
    ) -> None:
        await self.both(world, shop, shipping)
        saga = shop.app.saga("far", step(shop.reserve), step(f"{shipping.name}/fly"))
        client = await world.client(shop.app)
        handle = await client.start(saga, {})
        said = f"{shipping.name} has no saga or operation of this name. It has: deliver, pack"
        with pytest.raises(TurnedBack, match=said):
            await handle.result(PATIENCE)
        assert shop.called(handle.id) == ["reserve", "-reserve"]

    # -- spread

    async def test_a_spread_step_runs_in_a_partition_of_its_own(
        self, world: World, shop: Shop
    ) -> None:
        await world.pod(shop.app)
        saga = shop.app.saga(
            "wide", step(shop.reserve, spread=True), step(shop.charge), step(shop.ship, spread=True)
        )
        client = await world.client(shop.app)
        handles = [await client.start(saga, Order(), key=f"k{n}") for n in range(8)]
        crossed = 0
        for handle in handles:
            outcome = await handle.result(PATIENCE)
            assert list(outcome.results) == ["reserve", "charge", "ship"]
            run = (await world.facts(handle.id))[0].run
            for name in ("reserve", "ship"):
                child = child_id(run, name)
                assert shop.called(child) == [name]
                numbers = {partition_of(i.encode(), world.partitions) for i in (handle.id, child)}
                crossed += len(numbers) == 2
        assert crossed > 0

    async def test_a_spread_step_is_undone_where_it_ran(self, world: World, shop: Shop) -> None:
        await world.pod(shop.app)
        saga = shop.app.saga("wide", step(shop.reserve, spread=True), step(shop.charge))
        client = await world.client(shop.app)
        handle = await client.start(saga, Order(fail="charge"))
        with pytest.raises(TurnedBack):
            await handle.result(PATIENCE)
        child = child_id((await world.facts(handle.id))[0].run, "reserve")
        assert shop.called(child) == ["reserve", "-reserve"]
        assert shop.called(handle.id) == ["charge"]

    async def test_the_undo_of_a_spread_step_is_the_steps_own(self, world: World) -> None:
        app, undone = App(world.name), list[str]()

        @app.operation
        async def usual(_: Json) -> None:
            undone.append("usual")

        @app.operation
        async def special(_: Json) -> None:
            undone.append("special")

        @app.operation(undo=usual)
        async def work(_: Json) -> None: ...

        @app.operation
        async def fail(_: Json) -> None:
            raise Terminal("planned")

        saga = app.saga("wide", step(work, undo=special, spread=True), step(fail))
        await world.pod(app)
        client = await world.client(app)
        with pytest.raises(TurnedBack):
            await (await client.start(saga, {})).result(PATIENCE)
        assert undone == ["special"]

    async def _failed(self, world: World, instance: str) -> bool:
        return any(isinstance(fact, f.StepFailed) for fact in await world.facts(instance))

    async def _done(self, world: World, instance: str, count: int) -> bool:
        return (await world.kinds(instance)).count("StepCompleted") >= count

    async def _has(self, place: World | Shipping, instance: str, kind: str) -> bool:
        return kind in await place.kinds(instance)

    async def _true(self, value: Any) -> Any:
        return value
