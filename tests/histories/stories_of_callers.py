"""Stories of work that its caller runs, with a backup behind it."""

from contextlib import suppress

from sagalog.engine import Terminal
from sagalog.schemas.ids import instance_id
from sagalog.streams.critical import CriticalFailed
from tests.histories.shop import Slow
from tests.histories.stage import Stage
from tests.histories.stories_of_sagas import LAMP
from tests.histories.story import story


@story()
async def caller_did_all(stage: Stage) -> None:
    """Both steps run in the caller, and a repeat finds them done."""
    await stage.worker()
    client, charge = await stage.client(tenant="acme"), stage.apps["orders"].operations["charge"]
    for _ in range(2):
        await client.critical(charge, LAMP, then="ship", key="k", tags=["vip"], user="ann")


@story()
async def caller_left_an_emergency(stage: Stage) -> None:
    """What follows fails in the caller; the pods try it again."""
    stage.script.on("ship", ValueError("no van"), ValueError("still no van"))
    await stage.worker()
    client, charge = await stage.client(), stage.apps["orders"].operations["charge"]
    told = await client.critical(charge, LAMP, then="ship")
    await stage.seen(told.instance, "Completed")


@story()
async def caller_failed(stage: Stage) -> None:
    """The effect fails, with a word for the end user."""
    stage.script.on("charge", Terminal("declined", user_message="Your card was declined."))
    await stage.worker()
    client, charge = await stage.client(), stage.apps["orders"].operations["charge"]
    with suppress(CriticalFailed):
        await client.critical(charge, LAMP, then="ship", key="k")
    await stage.seen(instance_id("", "charge", "k"), "Compensated")


@story()
async def caller_was_too_slow(stage: Stage) -> None:
    """Its lease passes: a pod does the work, and its own word comes late."""
    stage.script.on("charge", Slow(8, "mine"), "the pod's")
    await stage.worker()
    client, charge = await stage.client(), stage.apps["orders"].operations["charge"]
    told = await client.critical(charge, LAMP, then="ship", lease=4)
    await stage.seen(told.instance, "Completed")


@story()
async def caller_is_gone(stage: Stage) -> None:
    """It died behind its claim, and the pods are handed over in between."""
    await stage.worker()
    claim = {"name": "charge", "input": LAMP, "fingerprint": "f", "by": "ann", "lease": 5000}
    await stage.ask("claim", "i", claim | {"then": "ship", "retention": 60_000}, lane="high")
    await stage.seen("i", "Started")
    await stage.workers[0].stop()
    await stage.worker(member="b")
    await stage.seen("i", "Completed")
