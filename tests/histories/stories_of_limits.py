"""Stories of limits: permits lent, given back and expired, tokens that time brings, limits set."""

import asyncio

from sagalog.engine import Limit
from tests.histories.shop import Slow
from tests.histories.stage import Stage
from tests.histories.stories_of_sagas import LAMP
from tests.histories.story import story


@story(orders=2)
async def limited(stage: Stage) -> None:
    """Calls wait for permits of one operation; the limit is raised for all, and taken back."""
    stage.script.on("weigh", *[Slow(1, "weighed")] * 6)
    await stage.worker()
    client = await stage.client()
    handles = [await client.submit("weigh", LAMP, key=f"{n}") for n in range(4)]
    await asyncio.sleep(1.5)
    await client.set_limit("weigh", Limit(concurrency=3))
    for handle in handles:
        await handle.result()
    await client.set_limit("weigh", None)
    await client.set_limit("weigh", Limit(rate=1, per=2), key="")
    handles = [await client.submit("weigh", LAMP, key=f"more {n}") for n in range(3)]
    for handle in handles:
        await handle.result()
    await asyncio.sleep(5)


@story()
async def permits_expired(stage: Stage) -> None:
    """A pod dies with the only permit; the next one waits until its lease is over."""
    stage.script.on("weigh", Slow(3, "lost"), "weighed")
    worker = await stage.worker(member="a")
    handle = await (await stage.client()).submit("weigh", LAMP)
    await stage.running("weigh")
    worker.process.kill()
    await stage.worker(member="b")
    await handle.result()
