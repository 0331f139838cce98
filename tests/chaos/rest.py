"""After the faults: all must end, all must be committed, and every pod must stop in order."""

import asyncio
import time
from contextlib import suppress

from sagalog.streams.log import Place
from sagalog.streams.owner import lanes_group
from tests.chaos.conductor import Stage
from tests.chaos.pace import Restless
from tests.chaos.plan import REST
from tests.chaos.seats import Seat
from tests.recovery.crew import START
from tests.recovery.world import World

STOP = 12.0
"""Seconds that a pod may take to end in order: 10 s are promised, the rest is the machine's."""


async def rest(stage: Stage, worlds: list[World]) -> float:
    """Strike nothing any more and wait for all ends; how many seconds that took."""
    stage.gate.calm()
    stage.caller.say("rest")
    began = time.monotonic()
    told = asyncio.create_task(_told(stage))
    lag: dict[Place, tuple[int, int]] = {}
    while time.monotonic() < began + REST:
        lag = {place: left for world in worlds for place, left in (await lags(world)).items()}
        if told.done() and not lag:
            return time.monotonic() - began
        await asyncio.sleep(0.2)
    said = "" if told.done() else "the caller still waits to be told; "
    told.cancel()
    raise Restless(f"no rest after {REST:.0f} s: {said}requests left (committed, end): {lag}")


async def _told(stage: Stage) -> None:
    """Wait for the caller's last word; one that has died is started again."""
    while (said := await stage.caller.hear(2 * REST)) != "told":
        if not said:
            await stage.call()
            stage.caller.say("rest")


async def lags(world: World) -> dict[Place, tuple[int, int]]:
    """The lanes that are not committed to their ends, with both offsets."""
    places = [(topic, n) for topic in world.topics.lanes for n in range(world.partitions)]
    ends = await world.log.ends(places)
    found = await world.log.committed(lanes_group(world.name), places)
    return {
        place: (found.get(place, 0), end)
        for place, end in ends.items()
        if found.get(place, 0) != end
    }


async def stop(stage: Stage) -> None:
    """SIGTERM for every pod, once it is there; notes how each has ended."""
    await asyncio.gather(*(_stop(stage, seat) for seat in stage.seats))
    await stage.caller.end()


async def _stop(stage: Stage, seat: Seat) -> None:
    """One that was killed last of all may not have joined yet; before, it knows no order to end."""
    with suppress(TimeoutError):
        await asyncio.wait_for(seat.joined.wait(), START)
    began = time.monotonic()
    code = None
    with suppress(TimeoutError):
        code = await asyncio.wait_for(seat.stop(), 3 * STOP)
    stage.book.note("stopped", who=seat.name, code=code, seconds=time.monotonic() - began)
