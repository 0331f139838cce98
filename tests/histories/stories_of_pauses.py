"""Stories of operations and lanes that are held, by people and by breakers."""

import asyncio

from sagalog.engine import Unavailable
from tests.histories.stage import Stage
from tests.histories.stories_of_sagas import LAMP
from tests.histories.story import story


@story(orders=2)
async def paused(stage: Stage) -> None:
    """An operation and a lane are paused, also over a change of owners, and resumed."""
    client = await stage.client()
    await client.pause("charge", reason="the bank is down", by="ann")
    worker = await stage.worker(member="a")
    handles = [await client.start("order", LAMP, key=f"{n}") for n in range(3)]
    await client.pause(lane="low", by="bob")
    await asyncio.sleep(2)
    low = await client.submit("note", LAMP, priority="low")
    await worker.stop()
    await stage.worker(member="b")
    await asyncio.sleep(2)
    await client.resume("charge", by="ann")
    await client.resume(lane="low", by="bob")
    for handle in (*handles, low):
        await handle.outcome()


@story()
async def breaker(stage: Stage) -> None:
    """A breaker opens, a probe fails, another owner probes, and it closes."""
    stage.script.on("wire", *[Unavailable("the line is cut")] * 3)
    worker = await stage.worker(member="a")
    client = await stage.client()
    handles = [await client.submit("wire", LAMP, key=f"{n}") for n in range(3)]
    await asyncio.sleep(4)
    worker.process.kill()
    await stage.worker(member="b")
    for handle in handles:
        await handle.result()


@story()
async def lifted(stage: Stage) -> None:
    """A person lifts a breaker before its time."""
    stage.script.on("wire", *[Unavailable("the line is cut")] * 2)
    await stage.worker()
    client = await stage.client()
    handles = [await client.submit("wire", LAMP, key=f"{n}") for n in range(2)]
    await asyncio.sleep(1)
    await client.resume("wire", reason="it is up again", by="ann")
    for handle in handles:
        await handle.result()
