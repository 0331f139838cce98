"""Stories of steps that run elsewhere: in another app, or in a partition of their own."""

import asyncio
from typing import Any

from sagalog.engine import Terminal
from sagalog.schemas.ids import child_id
from sagalog.streams.handle import Handle
from tests.histories.shop import Slow
from tests.histories.stage import Stage
from tests.histories.stories_of_sagas import LAMP
from tests.histories.story import story


def child(stage: Stage, parent: str, step: str) -> str:
    """The id of the instance that runs a step of a parent."""
    return child_id(stage.facts(parent)[0].run, step)


@story(orders=1, payments=2)
async def child_completed(stage: Stage) -> None:
    """A step in another app completes, at its second call there."""
    stage.script.on("charge", ValueError("once"), {"receipt": 7})
    await stage.worker("orders")
    await stage.worker("payments")
    handle = await (await stage.client()).start("remote", LAMP)
    await handle.result()
    await stage.seen(child(stage, handle.id, "charge"), "OutcomeDelivered", "payments")


@story(orders=1, payments=1)
async def child_undone(stage: Stage) -> None:
    """What completed in another app is undone there, in its turn."""
    stage.script.on("ship", Terminal("no ship"))
    await stage.worker("orders")
    await stage.worker("payments")
    handle = await (await stage.client()).start("remote", LAMP)
    await handle.outcome()
    await stage.seen(child(stage, handle.id, "charge"), "OutcomeDelivered", "payments", times=2)


@story(orders=1, payments=1)
async def child_failed(stage: Stage) -> None:
    """A step fails for good in another app."""
    stage.script.on("charge", Terminal("declined"))
    await stage.worker("orders")
    await stage.worker("payments")
    handle = await (await stage.client()).start("remote", LAMP)
    await handle.outcome()
    await stage.seen(child(stage, handle.id, "charge"), "OutcomeDelivered", "payments")


@story(orders=1, payments=1)
async def child_recalled(stage: Stage) -> None:
    """The parent is cancelled while its child runs elsewhere, which is cancelled too."""
    stage.script.on("charge", Slow(4, "charged all the same"))
    await stage.worker("orders")
    await stage.worker("payments")
    handle = await (await stage.client()).start("remote", LAMP)
    await stage.running("charge")
    await handle.cancel("changed my mind")
    await handle.outcome()
    await stage.seen(child(stage, handle.id, "charge"), "OutcomeDelivered", "payments")


@story(orders=1, payments=1)
async def child_recalled_in_time(stage: Stage) -> None:
    """Two steps are under way when the saga is cancelled: the child hears of it at once."""
    stage.script.on("charge", Slow(4, "charged all the same"))
    stage.script.on("ship", Slow(6, "shipped all the same"))
    await stage.worker("orders")
    await stage.worker("payments")
    handle = await (await stage.client()).start("apart", LAMP)
    await stage.running("charge")
    await handle.cancel("changed my mind")
    await handle.outcome()
    await stage.seen(child(stage, handle.id, "charge"), "OutcomeDelivered", "payments", times=2)


@story(orders=1, payments=1)
async def child_cancelled_alone(stage: Stage) -> None:
    """Somebody cancels the child: its parent hears of it, and turns back."""
    stage.script.on("charge", Slow(4, "charged all the same"))
    await stage.worker("orders")
    await stage.worker("payments")
    handle = await (await stage.client()).start("remote", LAMP)
    await stage.running("charge")
    other = await stage.client("payments")
    await other.cancel(child(stage, handle.id, "charge"), "not in this app", lane="normal")
    await handle.outcome()
    await stage.seen(child(stage, handle.id, "charge"), "OutcomeDelivered", "payments")


@story(orders=1, payments=1)
async def child_too_slow(stage: Stage) -> None:
    """No outcome comes within the step's timeout; the other app is there only later."""
    await stage.worker("orders")
    handle = await (await stage.client()).start("remote", LAMP)
    await stage.seen(handle.id, "StepFailed")
    await stage.worker("payments")
    await handle.outcome()
    await stage.seen(child(stage, handle.id, "charge"), "OutcomeDelivered", "payments")


@story(orders=1, payments=1)
async def refused_child(stage: Stage) -> None:
    """An undo comes before the request that it undoes, which then finds the refusal."""
    for instance, times in (("late", 2), ("never", 1)):
        parent = {"app": "orders", "partition": 0, "instance": "p", "run": "r", "step": instance}
        undo = {"number": 1, "parent": parent}
        value = {"type": "sagalog.compensate.v1", "subject": instance, "data": undo}
        for _ in range(times):
            await stage.write("payments.compensations", instance, value)
    await stage.worker("orders")
    await stage.worker("payments")
    await stage.seen("late", "OutcomeDelivered", "payments")
    parent = {"app": "orders", "partition": 0, "instance": "p", "run": "r", "step": "late"}
    run = {"name": "charge", "input": LAMP, "fingerprint": "r/late", "parent": parent}
    value = {"type": "sagalog.operation.run.v1", "subject": "late", "data": run}
    await stage.write("payments.normal", "late", value)
    client = await stage.client("payments")
    await (await client.get("late")).outcome()


@story(orders=1, payments=1)
async def child_saga(stage: Stage) -> None:
    """A saga of another app runs as a step; once it completes, once it is undone after that."""
    await stage.worker("orders")
    await stage.worker("payments")
    client = await stage.client()
    await (await client.start("billed", LAMP, priority="high")).result()
    stage.script.on("ship", Terminal("no ship"))
    handle = await client.start("billed", LAMP)
    await handle.outcome()
    await stage.seen(child(stage, handle.id, "bill"), "OutcomeDelivered", "payments", times=2)


@story(orders=1, payments=1)
async def child_stuck(stage: Stage) -> None:
    """A child cannot be undone: it waits for a person, and its parent for it."""
    stage.script.on("ship", Terminal("no ship"))
    stage.script.on("refund", Terminal("account closed"))
    await stage.worker("orders")
    await stage.worker("payments")
    handle = await (await stage.client()).start("remote", LAMP)
    await stage.seen(handle.id, "DeadLettered")
    below = child(stage, handle.id, "charge")
    await stage.seen(below, "DeadLettered", "payments")
    other = await stage.client("payments")
    await other.release(below, "charge", "resolve", by="ann", number=1, attempt=1)
    await handle.outcome()
    await stage.seen(below, "OutcomeDelivered", "payments", times=2)


@story(orders=1, payments=1)
async def child_forgotten(stage: Stage) -> None:
    """A child leaves after its outcome has been told, and its parent too."""
    await stage.worker("orders")
    await stage.worker("payments")
    client = await stage.client()
    handle = await client.start("leaving", LAMP)
    await handle.result()
    below = child(stage, handle.id, "charge")
    for number in range(3):
        await asyncio.sleep(12)
        await (await client.start("remote", LAMP, key=f"{number}")).result()
    await stage.seen(handle.id, "Forgotten")
    await stage.seen(below, "Forgotten", "payments")


@story(orders=2)
async def spread(stage: Stage) -> None:
    """A heavy step has a partition of its own id: it completes, and is undone another time."""
    await stage.worker()
    client = await stage.client()
    await (await client.start("spread", LAMP, key="a")).result()
    stage.script.on("charge", ValueError("once"))
    stage.script.on("ship", Terminal("no ship"))
    handle = await client.start("spread", LAMP, key="b", priority="low")
    await handle.outcome()
    await stage.seen(child(stage, handle.id, "charge"), "OutcomeDelivered", times=2)


@story(orders=1, payments=1)
async def child_of_another_language(stage: Stage) -> None:
    """Another app's steps run without sagalog, which says no more than must be said."""
    await stage.worker()
    client = await stage.client()
    done = await client.start("remote", LAMP, key="done")
    fails = await client.start("remote", LAMP, key="fails")
    undone = await client.start("remote", LAMP, key="undone")
    stage.script.on("ship", "shipped", Terminal("no ship"))
    told: dict[Handle[Any], tuple[str, dict[str, object]]] = {
        done: ("step.completed", {"attempt": 1}),
        fails: (
            "step.failed",
            {
                "attempt": 1,
                "final": True,
                "error": {"kind": "error", "type": "Declined", "message": "no"},
            },
        ),
        undone: ("step.completed", {"attempt": 1, "result": {"receipt": 1}}),
    }
    for handle, (kind, data) in told.items():
        await stage.seen(handle.id, "StepCompleted")
        await _tell(stage, handle.id, kind, data)
        if handle is not undone:
            await handle.outcome()
    await stage.seen(undone.id, "StepFailed")
    await asyncio.sleep(1)
    await _tell(stage, undone.id, "step.compensated", {"number": 1})
    await undone.outcome()


async def _tell(stage: Stage, parent: str, kind: str, data: dict[str, object]) -> None:
    told = {"run": stage.facts(parent)[0].run, "step": "charge", **data}
    value = {"type": f"sagalog.{kind}.v1", "subject": parent, "data": told}
    await stage.write("orders.events", parent, value)
