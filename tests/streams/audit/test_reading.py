"""`audit(log)`: real pods on a real log are audited, at rest and at work."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from sagalog.engine import App, step
from sagalog.schemas import facts as f
from sagalog.schemas.topics import Topics
from sagalog.streams import TopicMissing
from sagalog.streams.audit import Report, audit
from tests.recovery.shop import Order, Shop
from tests.recovery.world import World, eventually, memory_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with memory_world() as world:
        yield world


async def settled(world: World, look: Callable[[], Coroutine[Any, Any, Report]]) -> Report:
    """The audit, as soon as it finds everything at rest."""

    async def clean() -> Report | None:
        report = await look()
        return report if report.clean else None

    found = await eventually(clean)
    assert found is not None, "eventually returns what is true"
    return found


async def work(world: World, shop: Shop) -> dict[str, str]:
    """A few orders of every kind; how each ended."""
    client = await world.client(shop.app)
    ends: dict[str, str] = {}
    for order in (
        Order(),
        Order(fail="ship"),
        Order(flaky="charge"),
        Order(fail="charge", stick="release"),
    ):
        handle = await client.start(shop.order, order)
        ends[handle.id] = (await handle.outcome()).status
    return ends


async def test_what_a_true_pod_did_passes(world: World) -> None:
    shop = Shop(world.name)
    await world.pod(shop.app)
    ends = await work(world, shop)
    assert set(ends.values()) == {"completed", "compensated", "stuck"}
    await world.put("normal", b"k", b"no json")
    report = await settled(world, lambda: audit(world.log, world.name, acknowledged=ends))
    assert report.apps == [world.name]
    tally = report.tally
    assert (tally.instances, tally.letters, tally.requests) == (4, 4, 8)
    assert tally.ended == {"completed": 2, "compensated": 1, "stuck": 1}
    assert tally.rows > 4
    assert tally.replies >= 4


async def test_what_is_under_way_is_judged_only_as_such(world: World) -> None:
    shop = Shop(world.name)
    await world.pod(shop.app)
    client = await world.client(shop.app)
    handle = await client.start(shop.order, Order(hang="charge"))
    await shop.begins("charge")
    assert (await audit(world.log, world.name, at_rest=False)).clean
    report = await audit(world.log, world.name)
    assert {violation.letter for violation in report.violations} <= {"L1", "L2"}
    assert [v.instance for v in report.violations if v.letter == "L1"] == [handle.id]
    shop.let_go.set()
    await handle.outcome()


async def test_a_log_that_was_cut_is_judged_as_far_as_it_goes(world: World) -> None:
    shop = Shop(world.name)
    await world.pod(shop.app)
    ends = await work(world, shop)
    await settled(world, lambda: audit(world.log, world.name))
    ends |= await work(world, shop)
    for place, end in (await world.log.ends([(world.topics.events, 0)])).items():
        await world.log.trim({place: end // 2})
    report = await settled(world, lambda: audit(world.log, world.name, acknowledged=ends))
    assert sum(report.tally.unjudged.values()) > 0
    assert report.tally.instances < 8


async def test_the_apps_of_children_are_audited_too(world: World) -> None:
    there, here = App("there"), App(world.name)

    @there.operation
    async def ship(item: str) -> str:
        return f"{item} shipped"

    here.saga("send", step("there/ship"))
    await world.log.create(Topics("there").specs(3))
    await world.pod(there)
    await world.pod(here)
    client = await world.client(here)
    await (await client.start("send", "lamp")).outcome()
    report = await settled(world, lambda: audit(world.log, world.name))
    assert report.apps == [world.name, "there"]
    assert report.tally.ended == {"completed": 2}
    assert (await audit(world.log, "there")).apps == ["there"]


async def test_what_somebody_else_wrote_into_the_log_is_found(world: World) -> None:
    shop = Shop(world.name)
    await world.pod(shop.app)
    ends = await work(world, shop)
    done = next(name for name, end in ends.items() if end == "completed")
    started = (await world.facts(done))[0]
    lie = f.StepCompensated(started.run, "reserve", 1)
    await world.ask("events", lie, done)
    await world.ask("deadletters", (await world.messages("deadletters"))[0].data, "x")

    async def found() -> set[str]:
        report = await audit(world.log, world.name, at_rest=False)
        assert report.tally.ignored["stale"] == 1
        return {violation.letter for violation in report.violations}

    assert await eventually(found) == {"S9"}


async def test_progress_is_told_to_the_end(world: World) -> None:
    shop = Shop(world.name)
    await world.pod(shop.app)
    await work(world, shop)
    told: list[tuple[int, int]] = []
    await audit(world.log, world.name, progress=lambda read, total: told.append((read, total)))
    assert told[-1][0] == told[-1][1] > 0


async def test_an_app_that_is_not_there_is_missing(world: World) -> None:
    with pytest.raises(TopicMissing):
        await audit(world.log, "nowhere")


async def test_many_violations_are_counted_and_the_first_are_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sagalog.streams.audit.report.MOST", 3)
    for number in range(10):
        await world.put("normal", b"k", b"no json %d" % number)
    report = await audit(world.log, world.name)
    assert report.tally.violations["S9"] == 10
    assert len(report.violations) == 3
    await asyncio.sleep(0)
