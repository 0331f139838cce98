"""The story of one instance, told from the log and followed live."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sagalog.schemas.envelope import Envelope
from sagalog.schemas.facts import CancelRequested, Taken
from sagalog.streams.story import Moment, Teller
from tests.recovery.shop import Order, Shop
from tests.recovery.world import World, memory_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with memory_world() as world:
        yield world


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world.name)


def kinds(moments: tuple[Moment, ...]) -> list[str]:
    return [type(m.message.data).__name__ for m in moments if isinstance(m.message, Envelope)]


async def test_every_fact_of_it_and_of_no_other(world: World, shop: Shop) -> None:
    await world.pod(shop.app)
    client = await world.client(shop.app)
    handles = [await client.start(shop.order, Order(flaky="charge")) for _ in range(6)]
    for handle in handles:
        await handle.result(10)
    story = await Teller(world.log, world.name, handles[0].id).read()
    assert kinds(story.moments) == await world.kinds(handles[0].id)
    assert all(moment.counted for moment in story.moments)
    assert story.state is not None
    assert story.state.status == "completed"
    assert [step.attempt for step in story.steps] == [1, 3, 1]
    assert story.started is not None
    assert story.started.input == Order(flaky="charge").model_dump()
    assert story.queued == ()


async def test_a_zombie_s_fact_is_shown_and_does_not_count(world: World, shop: Shop) -> None:
    await world.pod(shop.app)
    handle = await (await world.client(shop.app)).start(shop.order, Order())
    await handle.result(10)
    facts = [r for r in await world.records("events") if r.key == handle.id.encode()]
    await world.put("events", facts[1].key, facts[1].value)
    story = await Teller(world.log, world.name, handle.id).read()
    assert [moment.counted for moment in story.moments] == [True] * len(facts) + [False]


async def test_a_change_of_owner_stands_where_it_fell_into_its_life(
    world: World, shop: Shop
) -> None:
    pod, client = await world.pod(shop.app, "a"), await world.client(shop.app)
    handle = await client.start(shop.order, Order(hang="charge"))
    await shop.began.get()
    await shop.began.get()
    await pod.stop()
    await world.pod(shop.app, "b")
    await shop.began.get()
    shop.let_go.set()
    await handle.result(10)
    story = await Teller(world.log, world.name, handle.id).read()
    told = kinds(story.moments)
    assert told.count(Taken.__name__) == 1
    assert told.index(Taken.__name__) == 2


async def test_what_waits_in_a_lane(world: World, shop: Shop) -> None:
    client = await world.client(shop.app)
    one = await client.start(shop.order, Order(), key="a", priority="low")
    await client.cancel(one.id, lane="low")
    story = await Teller(world.log, world.name, one.id).read()
    assert [(q.lane, q.ahead) for q in story.queued] == [("low", 0), ("low", 1)]
    assert story.found
    assert story.state is None
    assert not (await Teller(world.log, world.name, "nobody").read()).found


async def test_it_is_followed_live(world: World, shop: Shop) -> None:
    await world.pod(shop.app)
    client = await world.client(shop.app)
    handle = await client.start(shop.order, Order(hang="charge"))
    await shop.began.get()
    await shop.began.get()
    teller = Teller(world.log, world.name, handle.id)
    await teller.read()

    def cancelled(moment: Moment) -> bool:
        message = moment.message
        return isinstance(message, Envelope) and isinstance(message.data, CancelRequested)

    waiting = asyncio.create_task(teller.until(cancelled, 10))
    await handle.cancel("enough")
    moment = await waiting
    assert moment.state is not None
    assert moment.state.status == "compensating"
    shop.let_go.set()
    end = await teller.until(lambda m: m.state is not None and m.state.ended, 10)
    assert end.state == teller.state
    with pytest.raises(TimeoutError):
        await teller.until(lambda _: True, 0.05)
