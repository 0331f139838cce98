"""A limited operation whose workers are killed: never more at once, and nothing hangs."""

import asyncio
from collections.abc import Sequence

from sagalog.streams.audit import Blow, Call, audit
from tests.recovery import journal
from tests.recovery.app import NARROW
from tests.recovery.crew import Crew, Worker
from tests.recovery.world import World, eventually

CALLS = 400


async def kill_owners(world: World, crew: Crew, workers: Sequence[Worker], *, anew: bool) -> None:
    """Kill each in turn while it holds permits; `anew`: each comes back under its own name."""
    client = await world.client(world.name)
    handles = await client.submit_many("narrow", range(CALLS))
    for kill, worker in enumerate(workers):
        until = 40 * (kill + 1)
        await eventually(lambda until=until: _has(crew, until))  # type: ignore[misc]
        await worker.kill()
        if anew:
            await crew.start(worker.member, *PACE)
    async with asyncio.timeout(60):
        results = await asyncio.gather(*(handle.result() for handle in handles))
    assert results == list(range(CALLS))
    lines = [line for line in journal.read(crew.journal) if line.operation == "narrow"]
    assert most_at_once(lines, crew.blows) == NARROW.concurrency
    report = await audit(world.log, world.name, journal=lines, blows=crew.blows, at_rest=False)
    assert not report.violations, "\n".join(map(str, report.violations))
    expired = [m for m in await world.messages("events") if "permits.expired" in m.type]
    assert expired, "void: nobody died who held a permit"


PACE = ("--pace", "0.02")


async def _has(crew: Crew, lines: int) -> bool:
    return journal.length(crew.journal) >= lines


def most_at_once(lines: Sequence[Call], blows: Sequence[Blow]) -> int:
    """How many calls there were at once, at most; one of a dead process ended with it."""
    died = {blow.pid: blow.at for blow in blows if blow.what == "kill"}
    begun = {(line.key, line.attempt, line.pid): line.at for line in lines if line.what == "begin"}
    ended = {(line.key, line.attempt, line.pid): line.at for line in lines if line.what == "effect"}
    moments = [(at, 1) for at in begun.values()]
    moments += [(ended.get(call) or died[call[2]], -1) for call in begun]
    now = most = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most
