"""Kafka's TransactionsTest in our terms: nothing is lost, doubled, torn or out of order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from sagalog.schemas import codec
from sagalog.schemas.envelope import Envelope
from sagalog.streams.audit import audit
from tests.chaos.copying import Along, Copies, Glances
from tests.chaos.torn import torn, transactions
from tests.kafka.broker import START_SECONDS, Broker
from tests.recovery import journal
from tests.recovery.crew import Crew
from tests.recovery.kafka_world import kafka_world
from tests.recovery.world import World

REQUESTS = 2000
BLOWS = ("worker", "worker", "broker", "worker", "broker", "worker", "broker", "worker")
PARTITIONS = 4
PATIENCE = 400.0
SESSION = 2.0


@asynccontextmanager
async def beside(*works: object) -> AsyncIterator[None]:
    """Do these meanwhile; their failures are not lost."""
    tasks = [asyncio.ensure_future(work) for work in works]  # type: ignore[call-overload]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


async def strike(broker: Broker, crew: Crew, along: Along) -> None:
    """Each blow falls after as much progress as the one before, and while work is left."""
    manner = ("--checkpoint", "0.03", "--slots", "2", "--pace", "0.015")
    workers = [await crew.start(name, *manner) for name in ("a", "b")]
    for number, whom in enumerate(BLOWS, 1):
        await along.comes_to(number * REQUESTS // (len(BLOWS) + 1))
        assert along.results < REQUESTS, "void: no work is left"
        if whom == "broker":
            await asyncio.to_thread(broker.kill)
            await asyncio.to_thread(broker.start)
        else:
            await workers[number % 2].kill()
            workers[number % 2] = await crew.start("ab"[number % 2], *manner)
    await along.comes_to(REQUESTS)
    for worker in workers:
        await worker.stop()


async def asked_in_order(world: World) -> None:
    """O5: each lane holds what was asked in that order, and nothing is missing.

    A client that hears nothing asks again, in the very same bytes.
    """
    first: dict[bytes | None, tuple[int, int]] = {}
    for record in await world.records("normal"):
        message = codec.decode(record.value)
        assert isinstance(message, Envelope)
        first.setdefault(record.value, (record.partition, message.data.input["number"]))
    assert sorted(number for _, number in first.values()) == [*range(REQUESTS)]
    for partition in range(world.partitions):
        numbers = [number for place, number in first.values() if place == partition]
        assert numbers == sorted(numbers)


async def checkpoints_are_whole(world: World) -> int:
    """Rule 2, O3: over the whole history of the tables; how many there were."""
    count = 0
    for number in range(world.partitions):
        found = await transactions(world.log, (world.topics.tables, number))
        assert list(torn(found)) == []
        count += sum(one.committed for one in found)
    return count


async def seen_alike(world: World, along: Along) -> None:
    """Who read along has seen what a late reader sees, in the same order."""
    late = await world.records("events")
    for number in range(world.partitions):
        of_both = [[r for r in rs if r.partition == number] for rs in (along.records, late)]
        assert of_both[0] == of_both[1]


async def audited(world: World, crew: Crew, instances: list[str]) -> None:
    lines = journal.read(crew.journal)
    report = await audit(
        world.log,
        world.name,
        journal=lines,
        blows=crew.blows,
        acknowledged=dict.fromkeys(instances, "completed"),
    )
    assert report.clean, "\n".join(violation.text() for violation in report.violations[:20])
    assert report.tally.ended["completed"] == REQUESTS
    assert journal.duplicates(lines) > 0, "void: no call was cut short"


@pytest.mark.slow
@pytest.mark.timeout(500)
async def test_what_is_asked_for_is_copied_once_and_in_order_whoever_is_killed(
    own_broker: Broker, app_name: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        bootstrap = own_broker.bootstrap
        world = await stack.enter_async_context(
            kafka_world(bootstrap, app_name, partitions=PARTITIONS, open_timeout=2 * START_SECONDS)
        )
        url = f"kafka://{bootstrap}"
        crew = await stack.enter_async_context(Crew(url, app_name, tmp_path, session=SESSION))
        along, glances = Along(world), Glances(world)
        copies = Copies(await world.client(app_name), REQUESTS)
        async with asyncio.timeout(PATIENCE), beside(along.read(), glances.look()):
            async with asyncio.TaskGroup() as group:
                group.create_task(copies.request())
                group.create_task(strike(own_broker, crew, along))
            assert await copies.outcomes() == [{"number": n} for n in range(REQUESTS)]
        await asked_in_order(world)
        await seen_alike(world, along)
        assert min(await checkpoints_are_whole(world), glances.seen) > 4 * len(BLOWS)
        await audited(world, crew, [handle.id for handle in copies.handles])
