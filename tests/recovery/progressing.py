"""Progress: what a handler says is followed by clients, from the log."""

import asyncio
import threading

import pytest

from sagalog.engine import App, Context, Retry, step
from sagalog.schemas import facts as f
from sagalog.streams import Progress
from tests.recovery.world import PATIENCE, World, eventually


class Desk:
    """An app whose handlers say how far they are."""

    def __init__(self, name: str) -> None:
        self.app = App(name)
        self.go_on, self.began = asyncio.Event(), asyncio.Event()
        self.free = threading.Event()

        @self.app.operation(retry=Retry(max_attempts=2, first=0))
        async def copy(rows: int, ctx: Context) -> str:
            ctx.progress(0.25, "a quarter of the rows")
            ctx.progress(0.5, "half of the rows")
            self.began.set()
            await self.go_on.wait()
            if rows < 0 and ctx.attempt == 1:
                raise ValueError("no such rows")
            return f"{rows} rows"

        @self.app.operation
        def scan(rows: int, ctx: Context) -> int:
            ctx.progress(7, "too much")
            self.free.wait(PATIENCE)
            return rows

        self.copy, self.scan = copy, scan
        self.both = self.app.saga("both", step(copy, after=()), step(scan, after=()))


class Progressing:
    """`world` is a fixture of whoever derives from this."""

    @pytest.fixture
    def desk(self, world: World) -> Desk:
        return Desk(world.name)

    async def test_a_client_follows_a_call_until_its_end(self, world: World, desk: Desk) -> None:
        await world.pod(desk.app, progress_interval=0.05)
        client = await world.client(desk.app)
        handle = await client.submit(desk.copy, 5)
        heard: list[Progress] = []
        async with asyncio.timeout(PATIENCE):
            async for progress in handle.progress():
                heard.append(progress)
                if progress.fraction == 0.5:
                    desk.go_on.set()
        assert [(p.message, p.step, p.attempt) for p in heard][-1] == (
            "half of the rows",
            "copy",
            1,
        )
        assert await handle.result(PATIENCE) == "5 rows"
        kinds = await world.kinds(handle.id)
        assert kinds == ["Started", *["StepProgressed"] * 2, "StepCompleted", "Completed"]
        async for progress in handle.progress():
            raise AssertionError(f"it has ended: {progress}")

    async def test_who_comes_late_hears_the_last_at_once_and_of_each_step(
        self, world: World, desk: Desk
    ) -> None:
        await world.pod(desk.app, progress_interval=0.05)
        client = await world.client(desk.app)
        handle = await client.start(desk.both, 5)

        async def said() -> bool:
            facts = [x for x in await world.facts(handle.id) if isinstance(x, f.StepProgressed)]
            return {(x.step, x.fraction) for x in facts} >= {("copy", 0.5), ("scan", 1.0)}

        await eventually(said)
        late = await (await world.client(desk.app)).get(handle.id)
        heard: dict[str, Progress] = {}
        async with asyncio.timeout(PATIENCE):
            async for progress in late.progress():
                heard[progress.step] = progress
                if len(heard) == 2:
                    desk.go_on.set()
                    desk.free.set()
        assert (heard["copy"].fraction, heard["scan"].fraction) == (0.5, 1.0)
        assert (await handle.outcome(PATIENCE)).status == "completed"

    async def test_another_attempt_begins_anew(self, world: World, desk: Desk) -> None:
        await world.pod(desk.app)
        client = await world.client(desk.app)
        handle = await client.submit(desk.copy, -1)
        attempts: list[int] = []
        async with asyncio.timeout(PATIENCE):
            async for progress in handle.progress():
                attempts.append(progress.attempt)
                desk.go_on.set()
        assert await handle.result(PATIENCE) == "-1 rows"
        assert attempts == sorted(attempts)

    async def test_who_stops_listening_is_told_no_more_and_it_goes_on(
        self, world: World, desk: Desk
    ) -> None:
        await world.pod(desk.app)
        client = await world.client(desk.app)
        handle = await client.submit(desk.copy, 5)
        told = handle.progress()
        async with asyncio.timeout(PATIENCE):
            assert (await anext(told)).fraction in (0.25, 0.5)
        await told.aclose()
        desk.go_on.set()
        assert await handle.result(PATIENCE) == "5 rows"
        assert client._mailbox.waiting == {}
