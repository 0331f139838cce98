"""Stories of what is asked, answered, refused, forwarded and forgotten."""

import asyncio

import pytest

from sagalog.engine import Terminal
from sagalog.streams.outcomes import Cancelled, Conflict, NotFound, Refused
from tests.histories.shop import Slow
from tests.histories.stage import Stage
from tests.histories.stories_of_sagas import LAMP
from tests.histories.story import story


@story()
async def repeated(stage: Stage) -> None:
    """One key: repeats find their first, while it runs and after; another payload conflicts."""
    stage.script.on("charge", Slow(2, "charged"))
    await stage.worker()
    client, other = await stage.client(), await stage.client()
    first = await client.start("order", LAMP, key="k")
    again = await other.start("order", LAMP, key="k", confirm=True)
    with pytest.raises(Conflict):
        await other.start("order", {"item": "desk"}, key="k", confirm=True)
    assert await first.outcome() == await again.outcome()
    await (await other.start("order", LAMP, key="k")).outcome()
    conflict = await other.start("order", {"item": "desk"}, key="k")
    with pytest.raises(Conflict):
        await conflict.outcome()


@story()
async def asked(stage: Stage) -> None:
    """Questions before and after the end, about what there is and what there is not."""
    stage.script.on("charge", Slow(7, "charged"))
    await stage.worker()
    client = await stage.client()
    handle = await client.start("order", LAMP)
    await stage.running("charge")
    await (await client.get(handle.id, wait=False)).outcome()
    waits = await client.get(handle.id)
    assert await waits.outcome() == await handle.outcome()
    with pytest.raises(NotFound):
        await (await client.get("nobody")).outcome()
    with pytest.raises(NotFound):
        await client.release("nobody", "charge")
    await client.cancel("nobody")
    await client.release(handle.id, "charge", "retry")
    with pytest.raises(Refused):
        await (await client.submit("unheard-of", LAMP)).result()


@story()
async def lanes(stage: Stage) -> None:
    """Sagas of all three priorities, with undos on the fourth lane."""
    stage.script.on("ship", "shipped", Terminal("no ship"), "shipped", Terminal("no ship"))
    client = await stage.client()
    handles = [
        await client.start("order", LAMP, key=f"{priority}{n}", priority=priority)
        for n in range(2)
        for priority in ("low", "normal", "high")
    ]
    await stage.worker()
    for handle in handles:
        await handle.outcome()


@story()
async def poison(stage: Stage) -> None:
    """Records that nobody can read, on a lane and on events: each becomes a dead letter."""
    await stage.worker()
    client = await stage.client()
    handle = await client.start("order", LAMP, key="k")
    await handle.result()
    started = {"type": "sagalog.saga.start.v1", "subject": "i", "data": {"name": "order"}}
    bad = {"type": "sagalog.step.completed.v1", "subject": handle.id, "data": {"run": 7}}
    for topic in ("orders.normal", "orders.events"):
        await stage.write(topic, "i", b"{", origin="a broken producer")
        await stage.write(topic, "i", b"\xff\x00")
        await stage.write(topic, "i", {"type": "com.acme.thing", "subject": "i"})
        await stage.write(topic, "i", started)
        await stage.write(topic, "i", bad)
        await stage.write(topic, "another key", started | {"subject": "~"})
        await stage.write(topic, "i", b"[" * 300 + b"]" * 300)
    end = {"type": "sagalog.cancel.requested.v1", "subject": handle.id, "data": {"run": "r"}}
    await stage.write("orders.events", "another key", end)
    await stage.write("orders.normal", "i", end)
    await stage.write("orders.normal", "i", {"type": "sagalog.tomorrow.v1", "subject": "i"})
    asks = {"type": "sagalog.cancel.v1", "subject": handle.id, "data": {}}
    await stage.write("orders.events", handle.id, asks)
    await asyncio.sleep(3)


@story(orders=2)
async def forwarded(stage: Stage) -> None:
    """Requests on the wrong partition go to their own, with their headers."""
    await stage.worker()
    data = {"name": "order", "input": LAMP, "fingerprint": "f"}
    for instance in "abcd":
        value = {"type": "sagalog.saga.start.v1", "subject": instance, "data": data}
        for partition in (0, 1):
            await stage.write("orders.low", instance, value, at=partition, trace="é", by="hand")
            await asyncio.sleep(1)


@story()
async def said_in_few_words(stage: Stage) -> None:
    """Requests of another language, which leave out all that may be left out."""
    stage.script.on("note", Terminal("no paper"), "noted")
    stage.script.on("charge", Slow(3, "charged"))
    await stage.worker()
    data = {"name": "order", "input": {"big": 12345678901234567890}, "fingerprint": ""}
    await stage.ask("saga.start", "a", data)
    await stage.running("charge")
    await stage.ask("cancel", "a", {})
    await stage.ask("operation.run", "b", {"name": "note", "input": None, "fingerprint": "f"})
    await stage.seen("a", "Cancelled")
    await stage.seen("b", "DeadLettered")
    await stage.ask("release", "b", {"step": "note"}, lane="high")
    await stage.seen("b", "Completed")
    await stage.ask("saga.start", "c", data | {"cause_time": 0})
    await stage.ask("saga.start", "d", data | {"steps": [{"operation": "note"}], "name": "short"})
    await stage.seen("d", "Completed")


@story()
async def forgotten(stage: Stage) -> None:
    """Its retention ends, it leaves, and its key starts a second life."""
    worker = await stage.worker(member="a")
    client = await stage.client()
    first = await client.start("passing", LAMP, key="k")
    await first.result()
    for number in range(2):
        await asyncio.sleep(12)
        await (await client.submit("note", number)).result()
    await stage.seen(first.id, "Forgotten")
    with pytest.raises(NotFound):
        await (await client.get(first.id)).outcome()
    second = await client.start("passing", {"item": "another"}, key="k")
    await second.result()
    assert second.id == first.id
    await worker.stop()
    await stage.worker(member="b")
    await (await client.start("passing", {"item": "another"}, key="k")).result()


@story()
async def scheduled_again(stage: Stage) -> None:
    """A schedule fires, misses some, is replaced, cancelled, and begins again."""
    worker = await stage.worker()
    client = await stage.client()
    first = await client.submit("charge", LAMP, key="k", every="*/5 * * * * *", confirm=True)
    await asyncio.sleep(6)
    await worker.stop()
    await asyncio.sleep(17)
    await stage.worker()
    await asyncio.sleep(1)
    await client.submit(
        "charge", LAMP, key="k", every="*/7 * * * * *", on_repeat="replace", confirm=True
    )
    await asyncio.sleep(8)
    await first.cancel("enough")
    with pytest.raises(Cancelled):
        await first.result()
    again = await client.start("order", LAMP, every="0 0 29 2 *", catch_up="none", confirm=True)
    await again.cancel()
    with pytest.raises(Cancelled):
        await again.result()
    await asyncio.sleep(1)
    await client.start("order", LAMP, every="0 0 29 2 *", confirm=True)
    await again.cancel()
    with pytest.raises(Cancelled):
        await (await client.get(again.id)).result()


@story()
async def followed(stage: Stage) -> None:
    """A call says how far it is, and a client hears of it, until the next attempt and the end."""
    stage.script.on("charge", Slow(4, ValueError("no"), 2), Slow(2, "charged", 4))
    await stage.worker()
    client = await stage.client()
    handle = await client.submit("charge", LAMP)
    heard = [said.attempt async for said in handle.progress()]
    assert heard[0] == 1
    assert heard[-1] == 2
    await handle.result()
