"""Permits that come free while the slots are full."""

import asyncio
import time
from itertools import count

from sagalog.engine import App, Limit
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.requests import RunOperation
from sagalog.streams.client import Client
from sagalog.streams.pod import Pod
from tests.recovery.world import World, eventually, memory_world


def _name(partition: int, partitions: int, prefix: str) -> str:
    """The id of an instance that lives in the partition."""
    names = (f"{prefix}{n}" for n in count())
    return next(name for name in names if partition_of(name.encode(), partitions) == partition)


async def _queued(pod: Pod) -> bool:
    return pod._scheduler._ready == 1


async def _let_one_begin(world: World, app: App, pod: Pod) -> None:
    client: Client = await world.client(app)
    await client.set_limit("charge", Limit(concurrency=1, lease=600))
    await eventually(lambda: _queued(pod))


async def test_the_permit_of_a_call_that_is_not_wanted_any_more_goes_to_the_next() -> None:
    async with memory_world() as world:
        app, open_, began = App(world.name), asyncio.Event(), asyncio.Event()

        @app.operation(limit=Limit(concurrency=0, lease=600))
        async def charge() -> None: ...

        @app.operation
        async def block() -> None:
            began.set()
            await open_.wait()

        pod = await world.pod(
            app, slots=1, forget_interval=600, recover_interval=600, checkpoint_interval=600
        )
        first, second, other = (
            _name(part, world.partitions, x) for part, x in ((1, "a"), (1, "b"), (0, "c"))
        )
        deadline = time.time_ns() // 1_000_000 + 2_000
        await world.ask("normal", RunOperation("charge", None, "f", deadline=deadline), first)
        await world.ask("normal", RunOperation("charge", None, "f"), second)
        await eventually(lambda: world.kinds(second))
        await world.ask("normal", RunOperation("block", None, "f"), other)
        await asyncio.wait_for(began.wait(), 10)
        await _let_one_begin(world, app, pod)

        async def cut_off() -> bool:
            return "DeadlinePassed" in await world.kinds(first)

        async def done() -> bool:
            return "Completed" in await world.kinds(second)

        await eventually(cut_off)
        open_.set()
        await eventually(done, patience=5)
