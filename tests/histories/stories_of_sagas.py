"""Stories of one saga or operation, and how it ends."""

import asyncio
from typing import Any

from sagalog.engine import Terminal, Unavailable
from sagalog.schemas.requests import StepData
from tests.histories.shop import Slow
from tests.histories.stage import Stage
from tests.histories.story import story

LAMP = {"item": "lamp", "cents": 5900}


def deep(levels: int) -> Any:
    """A list in a list in a list."""
    return [deep(levels - 1)] if levels else []


VALUES: dict[str, Any] = {
    "nothing": None,
    "flags": [True, False],
    "whole": [0, -1, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1],
    "floats": [0.1, -0.0, 1.0, 1e16, 1e22, 1e-7, 5e-324, 1.7976931348623157e308, 2 / 3],
    "text": [
        "",
        "é",
        "e\u0301",
        "日本語",
        "👩‍🚀",
        '"\\/\b\f\n\r\t',
        "\u2028\u2029\x7f\x01",
        "\ufeff",
    ],
    "empty": [[], {}, [[]], {"": {"": []}}],
    "keys": {"é": 1, "a b": 2, "0": 3, "A": 4, "a": 5, "~": 6, "nul\0": 7},
    "nested": {"a": [{"b": [{"c": [1, [2, [3]]]}]}]},
    "deep": deep(150),
    "long": "x" * 3000,
}


@story()
async def completed(stage: Stage) -> None:
    """A chain of three steps under a key; its first fact is awaited."""
    await stage.worker()
    client = await stage.client(tenant="acme")
    handle = await client.start("order", LAMP, key="order-4711", confirm=True)
    await handle.result()


@story()
async def retried(stage: Stage) -> None:
    """Two calls fail, one finds its service away, and then all goes well."""
    stage.script.on("reserve", ValueError("one"), Unavailable("away"), ValueError("two"))
    stage.script.on("charge", Unavailable("away"), Unavailable("still away"))
    await stage.worker()
    handle = await (await stage.client()).start("order", LAMP)
    await handle.result()


@story()
async def turned_back(stage: Stage) -> None:
    """The third step fails for good; the undos run in reverse, one of them twice."""
    stage.script.on("ship", Terminal("no ship"))
    stage.script.on("refund", ValueError("the bank hung up"))
    await stage.worker()
    handle = await (await stage.client()).start("order", LAMP)
    await handle.outcome()


@story()
async def attempts_used_up(stage: Stage) -> None:
    """Three calls of the second step fail, which is once too often."""
    stage.script.on("charge", *[ValueError("declined")] * 3)
    await stage.worker()
    handle = await (await stage.client()).start("order", LAMP)
    await handle.outcome()


@story()
async def cancelled(stage: Stage) -> None:
    """Cancelled while its second step is called, which then completes."""
    stage.script.on("charge", Slow(3, "charged"))
    await stage.worker()
    client = await stage.client()
    handle = await client.start("order", LAMP)
    await stage.running("charge")
    await handle.cancel("changed my mind")
    await handle.outcome()
    await handle.cancel("too late")
    await asyncio.sleep(1)


@story()
async def deadline_passed(stage: Stage) -> None:
    """Its nine seconds end in the second call of a step, which then completes."""
    stage.script.on("charge", Slow(8, ValueError("once")), Slow(5, "charged"))
    await stage.worker()
    handle = await (await stage.client()).start("brief", LAMP)
    await handle.outcome()
    other = await (await stage.client()).start("order", LAMP, deadline=60, key="in time")
    await other.result()


@story()
async def perhaps_done(stage: Stage) -> None:
    """A call is cut off three times: nobody knows whether it happened, so it is undone."""
    stage.script.on("charge", *[Slow(30, "never told")] * 3)
    await stage.worker()
    handle = await (await stage.client()).start("order", LAMP)
    await handle.outcome()


@story()
async def result_that_cannot_be_kept(stage: Stage) -> None:
    """A handler returns what JSON cannot hold: it has happened, so it is undone."""
    stage.script.on("charge", {"total": float("nan")})
    await stage.worker()
    handle = await (await stage.client()).start("order", LAMP)
    await handle.outcome()


@story()
async def stuck_undo_tried_again(stage: Stage) -> None:
    """An undo fails for good; a person lets it be tried again, and it works."""
    stage.script.on("ship", Terminal("no ship"))
    stage.script.on("refund", Terminal("account closed"))
    await stage.worker()
    client = await stage.client()
    handle = await client.start("order", LAMP)
    await handle.outcome()
    await client.release(handle.id, "charge", "retry", by="ann", number=1, attempt=1)
    await stage.seen(handle.id, "Compensated")


@story()
async def stuck_undo_done_by_hand(stage: Stage) -> None:
    """An undo fails for good; a person has done it, and says so."""
    stage.script.on("ship", Terminal("no ship"))
    stage.script.on("refund", Terminal("account closed"))
    await stage.worker()
    client = await stage.client()
    handle = await client.start("order", LAMP)
    await handle.outcome()
    await client.release(handle.id, "charge", "resolve", {"cash": 59.0}, by="ann", attempt=1)
    await client.release(handle.id, "charge", "resolve", {"cash": 59.0}, by="ann", number=1)
    await stage.seen(handle.id, "Compensated")


@story()
async def stuck_step_resolved(stage: Stage) -> None:
    """A step that parks is tried again in vain; then a person brings its result."""
    stage.script.on("audit", *[ValueError("no auditor")] * 6)
    await stage.worker()
    client = await stage.client()
    handle = await client.start("careful", LAMP)
    await handle.outcome()
    await client.release(handle.id, "audit", "retry", attempt=3)
    await stage.seen(handle.id, "DeadLettered", times=2)
    await client.release(handle.id, "audit", "resolve", {"audited": "by hand"}, attempt=6)
    await stage.seen(handle.id, "Completed")


@story()
async def stuck_step_skipped(stage: Stage) -> None:
    """A service stays away too long; a person skips the step."""
    stage.script.on("audit", *[Unavailable("away")] * 20)
    await stage.worker()
    client = await stage.client()
    handle = await client.start("careful", LAMP)
    await handle.outcome()
    await client.release(handle.id, "audit", "skip", by="ann")
    await stage.seen(handle.id, "Completed")


@story()
async def stuck_for_good(stage: Stage) -> None:
    """An undo fails for good, and nobody comes."""
    stage.script.on("ship", Terminal("no ship"))
    stage.script.on("refund", *[ValueError("the bank is shut")] * 3)
    await stage.worker()
    handle = await (await stage.client()).start("order", LAMP)
    await handle.outcome()
    await stage.seen(handle.id, "DeadLettered", times=2)


@story()
async def stuck_and_cancelled(stage: Stage) -> None:
    """A parked saga is cancelled: what it did is undone."""
    stage.script.on("audit", *[ValueError("no auditor")] * 3)
    await stage.worker()
    client = await stage.client()
    handle = await client.start("careful", LAMP)
    await handle.outcome()
    await handle.cancel("not worth it")
    await stage.seen(handle.id, "Cancelled")


@story()
async def operation_alone(stage: Stage) -> None:
    """Two operations without a saga: one that works, one at its second call."""
    stage.script.on("charge", {"receipt": 7})
    stage.script.on("note", ValueError("no pencil"))
    await stage.worker()
    client = await stage.client()
    await (await client.submit("charge", LAMP, key="one")).result()
    await (await client.submit("note")).result()


@story()
async def dead_then_released(stage: Stage) -> None:
    """Operations fail for good: one is tried again, one is resolved, one stays dead."""
    stage.script.on("note", *[Terminal("no paper")] * 3)
    await stage.worker()
    client = await stage.client()
    handles = [await client.submit("note", n, key=f"{n}") for n in range(3)]
    for handle in handles:
        await handle.outcome()
    await client.release(handles[0].id, "note", by="ann", attempt=1)
    await client.release(handles[1].id, "note", "resolve", "noted by hand", attempt=1)
    for handle in handles[:2]:
        await stage.seen(handle.id, "Completed")


@story()
async def branches(stage: Stage) -> None:
    """A graph: two steps at once, then two more."""
    stage.script.on("reserve", Slow(2, "second"))
    stage.script.on("charge", Slow(1, "first"))
    stage.script.on("ship", Slow(5, "last"))
    await stage.worker()
    handle = await (await stage.client()).start("wide", LAMP)
    await handle.result()


@story()
async def branches_turned_back(stage: Stage) -> None:
    """A graph turns back while one of its branches is under way, which is waited for."""
    stage.script.on("reserve", Slow(2, "in the end"))
    stage.script.on("charge", Terminal("declined"))
    await stage.worker()
    handle = await (await stage.client()).start("wide", LAMP)
    await handle.outcome()


@story()
async def given_as_data(stage: Stage) -> None:
    """A saga that no code declares: given with its request, as a graph."""
    stage.script.on("charge", ValueError("once"))
    await stage.worker()
    client = await stage.client()
    steps = (
        StepData("reserve", compensation="release", compensation_parameters={"shelf": 3}),
        StepData("charge", name="pay", parameters={"cents": 1}, max_retries=1, after=()),
        StepData("ship", after=("reserve", "pay"), timeout=7000),
    )
    await (await client.start("gift", LAMP, key="g", steps=steps)).result()
    stage.script.on("ship", Terminal("no ship"))
    await (await client.start("gift", LAMP, key="h", steps=steps)).outcome()


@story()
async def values(stage: Stage) -> None:
    """Every kind of value, as an input, as a result, and as what a person says."""
    stage.script.on("reserve", VALUES)
    stage.script.on("charge", VALUES["whole"])
    stage.script.on("ship", 2.0)
    stage.script.on("note", *VALUES.values(), Terminal("é 👩‍🚀 \u2028"))
    await stage.worker()
    client = await stage.client(tenant="tenant é")
    await (await client.start("order", VALUES, key="key 👩‍🚀")).result()
    for name, value in VALUES.items():
        await (await client.submit("note", value, key=name)).result()
    handle = await client.submit("note", "the last")
    await handle.outcome()
    await client.release(handle.id, "note", "resolve", VALUES["floats"], by="ánn")
    await stage.seen(handle.id, "Completed")


@story()
async def delayed(stage: Stage) -> None:
    """One begins an hour later, one is cancelled before its time."""
    await stage.worker()
    client = await stage.client()
    handle = await client.start("order", LAMP, delay=3600)
    never = await client.submit("charge", LAMP, delay=7200)
    await handle.result()
    await never.cancel("not wanted any more")
    await never.outcome()


@story()
async def purged(stage: Stage) -> None:
    """Its lane was purged before its turn came."""
    client = await stage.client()
    handle = await client.submit("charge", LAMP, priority="low")
    await client.purge("low", "too many", by="ann")
    await stage.worker()
    await handle.outcome()


@story()
async def expired(stage: Stage) -> None:
    """It waited longer for its turn than it was to, since nobody worked."""
    client = await stage.client()
    handle = await client.submit("charge", LAMP, queue_limit=1)
    await asyncio.sleep(2)
    await stage.worker()
    await handle.outcome()
