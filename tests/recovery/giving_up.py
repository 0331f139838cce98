"""How a pod gives up what it holds, loses it, and takes it back; and where it cannot start."""

import asyncio
import threading
import time
from contextlib import suppress
from typing import Any

import pytest

from sagalog.engine import App, Context, Retry
from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.ids import instance_id
from sagalog.schemas.partitioner import partition_of
from sagalog.streams import LogError, TopicMissing
from sagalog.streams.owner import lanes_group
from sagalog.streams.pod import Pod
from tests.recovery.shop import Order, Shop
from tests.recovery.world import PATIENCE, World, eventually


class Endless:
    """Three handlers that do not end until they are let go, each in its own way."""

    def __init__(self, app: App) -> None:
        self.app, self.calls = app, 0
        self.began, self.let_go = asyncio.Event(), threading.Event()
        self._loop = asyncio.get_running_loop()
        app.operation(name="waits")(self.wait)
        app.operation(name="blocks")(self.block)
        app.operation(name="deaf")(self.deaf)

    def _begin(self) -> None:
        self.calls += 1
        self._loop.call_soon_threadsafe(self.began.set)

    async def wait(self) -> str:
        self._begin()
        if not self.let_go.is_set():
            await asyncio.Event().wait()
        return "done"

    def block(self) -> str:
        self._begin()
        self.let_go.wait(PATIENCE)
        return "done"

    async def deaf(self) -> str:
        self._begin()
        while not self.let_go.is_set():
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)
        return "done"


class GivingUp:
    """`world` is a fixture of whoever derives from this."""

    @pytest.fixture
    def shop(self, world: World) -> Shop:
        return Shop(world.name)

    # -- giving up

    async def test_what_runs_at_a_stop_ends_and_is_appended(self, world: World, shop: Shop) -> None:
        pod = await world.pod(shop.app)
        client = await world.client(shop.app)
        handle = await client.start(shop.order, Order(hang="charge"))
        await shop.begins("charge")
        stopping = asyncio.create_task(pod.stop())
        await eventually(lambda: self._true(all(o.processor.closing for o in pod.owners.values())))
        late = await client.start(shop.order, Order())
        shop.let_go.set()
        await asyncio.wait_for(stopping, PATIENCE)
        assert shop.called(handle.id) == ["reserve", "charge"]
        assert await world.kinds(handle.id) == ["Started", "StepCompleted", "StepCompleted"]
        assert shop.called(late.id) == []
        assert pod.owners == {}
        events = [(world.topics.events, number) for number in range(world.partitions)]
        ends = await world.log.ends(events)
        again = await world.pod(shop.app)
        await handle.result(PATIENCE)
        await late.result(PATIENCE)
        await eventually(lambda: self._true(len(again.owners) == world.partitions))
        assert {o.events: o.start for o in again.owners.values()} == ends, "the last checkpoint"
        assert shop.twice() == set()

    @pytest.mark.parametrize("kind", ["waits", "blocks", "deaf"])
    async def test_a_handler_that_does_not_end_holds_no_stop_up(
        self, world: World, kind: str
    ) -> None:
        endless = Endless(App(world.name))
        app, began, let_go = endless.app, endless.began, endless.let_go
        pod = await world.pod(app, give_up_timeout=0.2)
        client = await world.client(app)
        handle = await client.submit(kind)
        await asyncio.wait_for(began.wait(), PATIENCE)
        before = time.monotonic()
        await asyncio.wait_for(pod.stop(), PATIENCE)
        assert time.monotonic() - before < 4
        assert await world.kinds(handle.id) == ["Started"]
        let_go.set()
        await world.pod(app)
        assert await handle.result(PATIENCE) == "done"
        assert endless.calls == 2

    async def test_a_stop_ends_while_a_retry_is_due(self, world: World, shop: Shop) -> None:
        """A timer that may not fire any more does not spin the loop either."""

        @shop.app.operation(retry=Retry(max_attempts=2, first=0.05, jitter=0))
        async def flaky() -> None:
            raise ValueError

        pod = await world.pod(shop.app, give_up_timeout=0.6)
        client = await world.client(shop.app)
        hanging = await client.start(shop.order, Order(hang="reserve"))
        await shop.begins("reserve")
        failing = await client.submit(flaky)
        await eventually(lambda: self._has(world, failing.id, "StepFailed"))
        cpu, wall = time.process_time(), time.monotonic()
        await pod.stop()
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
        assert wall > 0.5
        assert cpu < wall / 2
        assert (await world.kinds(failing.id)).count("StepFailed") <= 2
        assert await world.kinds(hanging.id) == ["Started"]

    async def test_timers_and_waiting_clients_survive_a_change_of_pods(self, world: World) -> None:
        app, attempts = App(world.name), list[int]()

        @app.operation(retry=Retry(max_attempts=2, first=0.5, jitter=0))
        async def flaky(_: int, ctx: Context) -> str:
            attempts.append(ctx.attempt)
            if ctx.attempt == 1:
                raise ValueError("once")
            return "done"

        first = await world.pod(app)
        client = await world.client(app)
        handle = await client.submit("flaky", 1)
        await eventually(lambda: self._has(world, handle.id, "StepFailed"))
        failed = next(x for x in await world.facts(handle.id) if isinstance(x, f.StepFailed))
        await first.stop()
        await world.pod(app, member="b")
        assert await handle.result(PATIENCE) == "done"
        assert attempts == [1, 2]
        assert time.time() * 1000 >= failed.retry_at

    async def test_a_restart_folds_from_the_checkpoint_and_runs_nothing_again(
        self, world: World, shop: Shop
    ) -> None:
        pod = await world.pod(shop.app)
        client = await world.client(shop.app)
        handles = [await client.start(shop.order, Order(), key=f"k{n}") for n in range(20)]
        outcomes = [await handle.result(PATIENCE) for handle in handles]
        await pod.stop()
        again = await world.pod(shop.app)
        await eventually(lambda: self._true(len(again.owners) == world.partitions))
        assert all(owner.start > 0 for owner in again.owners.values())
        repeats = [await client.start(shop.order, Order(), key=f"k{n}") for n in range(20)]
        assert [await repeat.result(PATIENCE) for repeat in repeats] == outcomes
        assert shop.twice() == set()
        assert len(shop.calls) == 60
        places = [(t, n) for t in world.topics.lanes for n in range(world.partitions)]
        ends = await world.log.ends(places)

        async def all_committed() -> bool:
            found = await world.log.committed(lanes_group(world.name), places)
            return {p: found.get(p, 0) for p in places} == ends

        await eventually(all_committed)

    # -- losing and taking back

    async def test_a_partition_that_another_took_is_left_and_taken_back(
        self, world: World, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sagalog.streams.holdings.LATE", 0.3)
        acting, every = list[frozenset[int]](), frozenset(range(world.partitions))
        pod = await world.pod(shop.app)
        await eventually(lambda: self._true(self._acting(pod) == every))
        pod._on_change = acting.append
        client = await world.client(shop.app)
        handle = await client.start(shop.order, Order(hang="charge"))
        ctx = await shop.begins("charge")
        (number,) = {
            r.partition for r in await world.records("events") if r.key == handle.id.encode()
        }
        source = f"{world.name}/{number}/another"
        stranger = f.Taken(source)
        _, value = codec.encode_fact(stranger, source=source, subject=source, now=1)
        await world.put("events", source.encode(), value, number)
        await eventually(lambda: self._true(number not in pod.owners))
        shop.let_go.set()
        await asyncio.sleep(0)
        assert await world.kinds(handle.id) == ["Started", "StepCompleted"]
        assert (await handle.result(PATIENCE)).status == "completed"
        assert [c.idempotency_key for c in shop.calls].count(ctx.idempotency_key) == 2
        assert acting == [every - {number}, every]

    async def test_an_owner_whose_checkpoint_is_fenced_acts_no_more(
        self, world: World, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sagalog.streams.holdings.LATE", 0.3)
        pod = await world.pod(shop.app)
        client = await world.client(shop.app)
        handle = await client.start(shop.order, Order(hang="charge"))
        await shop.begins("charge")
        before = dict(pod.owners)
        for number in range(world.partitions):
            thief = await world.log.checkpoints(world.topics.tables, number)
            await thief.close()
        for n in range(32):  # an owner learns of it when it has something to write
            await client.start(shop.order, Order(), key=f"wake{n}")
        await eventually(lambda: self._true(not set(before.values()) & set(pod.owners.values())))
        shop.let_go.set()
        assert (await handle.result(PATIENCE)).status == "completed"
        assert all(owner.processor.phase == "lost" for owner in before.values())

    async def test_facts_that_were_deleted_before_they_were_folded_stop_their_partition_only(
        self, world: World, shop: Shop
    ) -> None:
        pod = await world.pod(shop.app)
        client = await world.client(shop.app)
        for n in range(8):
            await (await client.start(shop.order, Order(), key=f"k{n}")).result(PATIENCE)
        await pod.stop()
        for _ in range(3):
            await world.put("events", b"x", b"{}", 0)
        end = (await world.log.ends([(world.topics.events, 0)]))[world.topics.events, 0]
        await world.log.trim({(world.topics.events, 0): end})
        again = await world.pod(shop.app)
        await eventually(lambda: self._true(set(again.owners) == set(range(1, world.partitions))))
        key = next(
            f"n{n}"
            for n in range(99)
            if self._number(world, instance_id("", "order", f"n{n}")) == 1
        )
        await (await client.start(shop.order, Order(), key=key)).result(PATIENCE)
        await asyncio.sleep(0.1)
        assert set(again.owners) == set(range(1, world.partitions))

    def _acting(self, pod: Pod) -> frozenset[int]:
        owners = pod.owners.values()
        return frozenset(o.number for o in owners if o.processor.phase == "acting")

    def _number(self, world: World, instance: str) -> int:
        return partition_of(instance.encode(), world.partitions)

    # -- topics that are not right

    @pytest.mark.parametrize("topic", ["events", "compensations", "tables"])
    async def test_a_missing_topic_is_said_in_a_sentence(self, world: World, topic: str) -> None:
        name = f"{world.name}x"
        specs = [s for s in type(world.topics)(name).specs(2) if s.name != f"{name}.{topic}"]
        await world.log.create(specs)
        pod = Pod(App(name), await world.open_log(), member="a")
        with pytest.raises(TopicMissing, match=rf"(?s){name}\.{topic}.*sagalog topics create"):
            await pod.start()
        await asyncio.wait_for(pod.stop(), PATIENCE)

    @pytest.mark.parametrize("topic", ["high", "deadletters"])
    async def test_topics_of_different_widths_are_said_in_a_sentence(
        self, world: World, topic: str
    ) -> None:
        name = f"{world.name}x"
        topics = type(world.topics)(name)
        odd = next(s for s in topics.specs(3) if s.name == f"{name}.{topic}")
        await world.log.create([odd])
        await world.log.create(topics.specs(2))
        pod = Pod(App(name), await world.open_log(), member="a")
        with pytest.raises(LogError, match=f"{name}.{topic} has 3 partitions and .* has 2.*check"):
            await pod.start()
        await asyncio.wait_for(pod.stop(), PATIENCE)

    async def test_a_client_without_topics_says_so(self, world: World) -> None:
        with pytest.raises(TopicMissing, match="sagalog topics create"):
            await world.client("nowhere")

    async def _true(self, value: Any) -> Any:
        return value

    async def _has(self, world: World, instance: str, kind: str) -> bool:
        return kind in await world.kinds(instance)
