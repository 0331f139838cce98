"""How a pod works: within its slots, and by priority."""

import asyncio
import threading
from functools import partial
from typing import Any

import pytest

from sagalog.engine import App, Retry, step
from sagalog.schemas import facts as f
from sagalog.schemas.requests import RunOperation
from sagalog.streams import TurnedBack
from sagalog.streams.pod import Pod
from tests.recovery.shop import Shop
from tests.recovery.world import PATIENCE, World, eventually


class Busy:
    """An app with one operation that waits to be let go, and how many ran at once."""

    def __init__(self, name: str) -> None:
        self.app = App(name)
        self.running = self.most = 0
        self.began: list[str] = []
        self.done: list[str] = []
        self.gate = asyncio.Semaphore(0)

        async def work(name: str) -> str:
            self.began.append(name)
            self.running += 1
            self.most = max(self.most, self.running)
            try:
                await self.gate.acquire()
            finally:
                self.running -= 1
            self.done.append(name)
            return name

        self.work = self.app.operation(work)

    def let_go(self, times: int) -> None:
        for _ in range(times):
            self.gate.release()


class Working:
    """`world` is a fixture of whoever derives from this."""

    @pytest.fixture
    def shop(self, world: World) -> Shop:
        return Shop(world.name)

    @pytest.fixture
    def busy(self, world: World) -> Busy:
        return Busy(world.name)

    # -- slots and lanes

    async def test_handlers_never_take_more_than_the_slots(self, world: World, busy: Busy) -> None:
        await world.pod(busy.app, slots=4)
        client = await world.client(busy.app)
        handles = [await client.submit(busy.work, f"w{n}") for n in range(40)]
        await eventually(lambda: self._true(busy.running == 4))
        for _ in range(40):
            busy.let_go(1)
            await asyncio.sleep(0)
        await asyncio.gather(*(handle.result(PATIENCE) for handle in handles))
        assert busy.most == 4
        assert sorted(busy.done) == sorted(f"w{n}" for n in range(40))

    async def test_plain_handlers_take_slots_too(self, world: World) -> None:
        app, gate, lock, running, most = App(world.name), threading.Event(), threading.Lock(), 0, 0

        @app.operation
        def block() -> None:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            gate.wait(PATIENCE)
            with lock:
                running -= 1

        await world.pod(app, slots=3, threads=8)
        client = await world.client(app)
        handles = [await client.submit(block) for _ in range(12)]
        await eventually(lambda: self._true(running == 3))
        gate.set()
        await asyncio.gather(*(handle.result(PATIENCE) for handle in handles))
        assert most == 3

    async def test_a_backlog_stays_in_the_log(self, world: World, busy: Busy) -> None:
        """What is read ahead is bounded, and what is not begun is not committed."""
        pod = await world.pod(busy.app, slots=2)
        client = await world.client(busy.app)
        await eventually(lambda: self._true(len(pod.owners) == world.partitions))
        handles = [await client.submit(busy.work, f"w{n}") for n in range(30)]
        await eventually(lambda: self._true(busy.running == 2))
        paused = await eventually(lambda: self._paused(pod))
        assert paused == f"{world.name}.normal"
        late = [await client.submit(busy.work, f"w{n}") for n in range(30, 430)]
        high = await client.submit(busy.work, "high", priority="high")
        await eventually(lambda: self._true(pod._scheduler.backlog("high") == 1))
        busy.let_go(6)
        await high.result(PATIENCE)
        assert pod._scheduler.backlog("normal") < 100
        assert len(busy.began) < 12
        busy.let_go(500)
        await asyncio.gather(*(handle.result(PATIENCE) for handle in (*handles, *late)))
        assert len(busy.done) == len(set(busy.done)) == 431
        assert not pod._paused

    async def test_high_goes_before_low_and_low_does_not_starve(
        self, world: World, busy: Busy
    ) -> None:
        pod = await world.pod(busy.app, slots=2)
        client = await world.client(busy.app)
        low = [await client.submit(busy.work, f"low{n}", priority="low") for n in range(60)]
        await eventually(lambda: self._true(busy.running == 2))
        high = [await client.submit(busy.work, f"high{n}", priority="high") for n in range(60)]
        before = len(busy.done)
        for n in range(120):
            # Who is first among those that have been read is the question here.
            await eventually(lambda: self._true(self._high_is_read(pod, busy)), pause=0)
            busy.let_go(1)
            await eventually(partial(self._more_than, busy, before + n), pause=0)
        await asyncio.gather(*(handle.result(PATIENCE) for handle in (*low, *high)))
        order = busy.done[before:]
        last_high = max(n for n, name in enumerate(order) if name.startswith("high"))
        lows_between = sum(name.startswith("low") for name in order[:last_high])
        assert 3 <= lows_between <= 12, order

    async def test_a_call_that_is_not_wanted_any_more_gives_its_slot_back(
        self, world: World
    ) -> None:
        app, began, let_go = App(world.name), list[str](), asyncio.Event()

        def branch(name: str) -> Any:
            async def work() -> None:
                began.append(name)
                await let_go.wait()

            return app.operation(name=name)(work)

        saga = app.saga("graph", step(branch("left")), step(branch("right"), after=()))
        await world.pod(app, slots=1)
        client = await world.client(app)
        handle = await client.start(saga, deadline=0.2)
        await eventually(lambda: self._has(world, handle.id, "DeadlinePassed"))
        assert began == ["left"]
        let_go.set()
        with pytest.raises(TurnedBack):
            await handle.result(PATIENCE)
        assert began == ["left"]
        assert await (await client.submit("left")).result(PATIENCE) is None

    async def test_a_retry_takes_no_slot_while_it_waits(self, world: World) -> None:
        app, failing = App(world.name), True

        @app.operation(retry=Retry(max_attempts=2, first=0.3, jitter=0))
        async def flaky() -> None:
            if failing:
                raise ValueError

        @app.operation
        async def quick() -> str:
            return "done"

        await world.pod(app, slots=1)
        client = await world.client(app)
        waiting = await client.submit(flaky)
        await eventually(lambda: self._has(world, waiting.id, "StepFailed"))
        assert await (await client.submit(quick)).result(PATIENCE) == "done"
        assert await world.kinds(waiting.id) == ["Started", "StepFailed"]
        failing = False
        await waiting.result(PATIENCE)

    # -- appended by anybody, in any language

    async def test_requests_need_nothing_but_their_records(self, world: World, shop: Shop) -> None:
        await world.pod(shop.app)
        await world.ask("low", RunOperation("charge", {"item": "cup"}, "f"), "x")
        await eventually(lambda: self._has(world, "x", "Completed"))
        completed = next(x for x in await world.facts("x") if isinstance(x, f.StepCompleted))
        assert completed.result["item"] == "cup"

    async def test_a_graph_runs_its_branches_at_the_same_time(self, world: World) -> None:
        app, both = App(world.name), asyncio.Barrier(2)

        @app.operation
        async def left() -> None:
            await both.wait()

        @app.operation
        async def right() -> None:
            await both.wait()

        @app.operation
        async def join() -> str:
            return "joined"

        saga = app.saga("graph", step(left), step(right, after=()), step(join, after=[left, right]))
        await world.pod(app)
        client = await world.client(app)
        outcome = await (await client.start(saga)).result(PATIENCE)
        assert outcome.results["join"] == "joined"

    def _high_is_read(self, pod: Pod, busy: Busy) -> bool:
        begun = sum(name.startswith("high") for name in busy.began)
        return begun == 60 or pod._scheduler.backlog("high") > 0

    async def _more_than(self, busy: Busy, done: int) -> bool:
        return len(busy.done) > done

    async def _paused(self, pod: Pod) -> str:
        return next(iter(pod._paused), "")

    async def _true(self, value: Any) -> Any:
        return value

    async def _has(self, world: World, instance: str, kind: str) -> bool:
        return kind in await world.kinds(instance)
