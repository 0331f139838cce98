"""Stories of partitions that pass from owner to owner, and of facts that nobody waited for."""

import asyncio

from sagalog.engine import Terminal
from tests.histories.shop import Slow
from tests.histories.stage import Stage
from tests.histories.stories_of_sagas import LAMP
from tests.histories.story import story


@story(orders=2)
async def handed_over(stage: Stage) -> None:
    """Three pods own the partitions one after the other, with sagas under way."""
    stage.script.on("charge", *[Slow(20, "too slow")] * 2)
    client = await stage.client()
    handles = [await client.start("order", LAMP, key=f"{n}") for n in range(4)]
    for member in "ab":
        worker = await stage.worker(member=member)
        await asyncio.sleep(1.5)
        await worker.stop()
    await stage.worker(member="c")
    for handle in handles:
        await handle.result()


@story()
async def seen_and_drained(stage: Stage) -> None:
    """What pods say of themselves, and what is said to them, stands beside the protocol."""
    seen = {"life": "a1", "host": "h", "pid": 7, "started_at": 5, "version": "0.1"}
    for type_, data in (("seen", seen | {"interval": 5000}), ("drain", {"by": "ann"})):
        said = {"type": f"sagalog.worker.{type_}.v1", "subject": "a", "data": data}
        await stage.write("orders.workers", "a", said)
    await stage.worker()


@story()
async def killed(stage: Stage) -> None:
    """A pod dies in the middle of a call, behind a checkpoint; the next one calls again."""
    stage.script.on("charge", Slow(3, "lost"), "charged")
    worker = await stage.worker(member="a")
    client = await stage.client()
    handle = await client.start("order", LAMP)
    await stage.running("charge")
    await asyncio.sleep(1.5)
    worker.process.kill()
    await stage.worker(member="b")
    await handle.result()


@story()
async def failed_behind_a_take(stage: Stage) -> None:
    """A call of a dead owner may have happened: its step counts as perhaps done."""
    stage.script.on("charge", Slow(3, "lost"), Terminal("declined"))
    worker = await stage.worker(member="a")
    handle = await (await stage.client()).start("order", LAMP)
    await stage.running("charge")
    worker.process.kill()
    await stage.worker(member="b")
    await handle.outcome()


async def _late(stage: Stage, saga: str, *, after: str, times: int = 1) -> str:
    """What an owner appends of `charge` arrives when the next owner has come to `after`."""
    first = await stage.worker(member="a")
    handle = await (await stage.client()).start(saga, LAMP)
    await stage.running("charge")
    first.log.delay()
    await asyncio.sleep(4)
    first.process.kill()
    await stage.worker(member="b")
    await stage.seen(handle.id, after, times=times)
    first.log.deliver()
    await asyncio.sleep(1)
    return handle.id


def _kinds(stage: Stage, instance: str) -> list[str]:
    return [type(fact).__name__ for fact in stage.facts(instance)]


@story()
async def zombie_completes_too(stage: Stage) -> None:
    """The result of a former owner arrives behind the end."""
    stage.script.on("charge", Slow(3, "the zombie's"), "the owner's")
    instance = await _late(stage, "order", after="Completed")
    assert _kinds(stage, instance)[-2:] == ["Completed", "StepCompleted"]


@story()
async def zombie_completes_first(stage: Stage) -> None:
    """The result of a former owner arrives while the next one calls: the first one counts."""
    stage.script.on("charge", Slow(3, "the zombie's"), Slow(5, "the owner's"))
    instance = await _late(stage, "order", after="StepCompleted")
    await stage.seen(instance, "Completed")
    await asyncio.sleep(5)


@story()
async def zombie_fails(stage: Stage) -> None:
    """A failure of a former attempt arrives, which is stale."""
    stage.script.on("charge", Slow(3, Terminal("the zombie's")), ValueError("once"), "charged")
    instance = await _late(stage, "order", after="StepFailed")
    await stage.seen(instance, "Completed")
    assert _kinds(stage, instance).count("StepFailed") == 2


@story()
async def completed_behind_the_end(stage: Stage) -> None:
    """A zombie's completion arrives behind `Compensated`: the orphan is undone once more."""
    stage.script.on("charge", Slow(3, "the zombie's"), Terminal("declined"))
    instance = await _late(stage, "order", after="Compensated")
    await stage.seen(instance, "StepCompensated", times=3)


@story()
async def completed_in_its_undo(stage: Stage) -> None:
    """A zombie's completion arrives while its step is undone: one more undo follows."""
    stage.script.on("charge", Slow(3, "the zombie's"), Terminal("declined"))
    stage.script.on("refund", Slow(9, "refunded"))
    instance = await _late(stage, "order", after="StepFailed")
    await stage.seen(instance, "Compensated")


@story()
async def unreadable(stage: Stage) -> None:
    """A fact of a type that nobody will ever read: its instance stands still, no other does."""
    stage.script.on("charge", Slow(3, "charged"))
    await stage.worker(member="a")
    client = await stage.client()
    parked = await client.start("order", LAMP, key="parked")
    other = await client.start("order", LAMP, key="other")
    await stage.running("charge")
    for subject in (parked.id, "unheard-of"):
        run = stage.facts(parked.id)[0].run
        value = {"type": "sagalog.never.v1", "subject": subject, "data": {"run": run}}
        await stage.write("orders.events", subject, value)
    await other.result()
    await asyncio.sleep(5)
    await parked.cancel("nobody hears it")
    await stage.workers[0].stop()
    await stage.worker(member="b")
    await (await client.start("order", LAMP, key="third")).result()
