"""Reading back: a follower agrees with the owner, and a scan ends where the log ended."""

from collections.abc import AsyncIterator

import pytest

from sagalog.engine.instance import Instance
from sagalog.schemas.codec import decode
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.facts import Started
from sagalog.schemas.record import Entry, Record
from sagalog.streams import history
from sagalog.streams.errors import TopicMissing
from sagalog.streams.history import Follower, bounds, read_states, scan
from tests.recovery.shop import Order, Shop
from tests.recovery.world import World, eventually, memory_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with memory_world() as world:
        yield world


async def busy(world: World, shop: Shop) -> dict[str, Instance]:
    """Sagas that ended in all ways, and their states as the owners have them."""
    pod, client = await world.pod(shop.app), await world.client(shop.app)
    for number, order in enumerate(
        (Order(), Order(fail="ship"), Order(flaky="charge"), Order(fail="charge", stick="release"))
    ):
        handle = await client.start(shop.order, order, key=f"k{number}")
        await handle.outcome(10)
    held: dict[str, Instance] = {}

    async def posted() -> bool:
        instances = [message.subject for message in await world.messages("events")]
        for name in instances:
            for owner in pod.owners.values():
                if (state := owner.processor.table.get(name)) is not None:
                    held[name] = state
        return not any(state.letters for state in held.values())

    await eventually(posted)
    return held


async def test_a_follower_agrees_with_the_owners(world: World) -> None:
    held = await busy(world, Shop(world.name))
    listed = await read_states(world.log, world.name)
    assert {one.id: one.state for one in listed} == {k: lean(v) for k, v in held.items()}
    assert {state.status for state in held.values()} == {"completed", "compensated", "stuck"}


def lean(state: Instance) -> Instance:
    return state._replace(result=None) if state.ended else state


async def test_some_instances_are_folded_alone_and_whole(world: World) -> None:
    held = await busy(world, Shop(world.name))
    wanted = sorted(held)[:2]
    listed = await read_states(world.log, world.name, wanted)
    assert {one.id: one.state for one in listed} == {name: held[name] for name in wanted}


async def test_a_forgotten_instance_is_gone_and_its_low_water_holds(world: World) -> None:
    shop = Shop(world.name, retention=0.5)
    await world.pod(shop.app, forget_interval=0.05)
    client = await world.client(shop.app)
    first = await client.start(shop.order, Order())
    await first.result(10)

    async def forgotten() -> bool:
        # Time passes in a partition only by its facts.
        await (await client.start(shop.order, Order())).result(10)
        return "Forgotten" in await world.kinds(first.id)

    await eventually(forgotten)
    assert first.id not in {one.id for one in await read_states(world.log, world.name)}
    records = await world.records("events")
    (started,) = [r for r in records if r.key == first.id.encode() and is_started(r)]
    records = [r for r in records if r.partition == started.partition]
    alone, among_others = Follower(frozenset({first.id.encode()})), Follower()
    # The same first fact once more, as a zombie would append it: it is below the low water.
    again = started._replace(offset=records[-1].offset + 1)
    for follower in (alone, among_others):
        for record in records:
            follower.fold(record)
        assert not follower.fold(again)
        assert first.id not in follower.states


def is_started(record: Record) -> bool:
    message = decode(record.value)
    return isinstance(message, Envelope) and isinstance(message.data, Started)


async def test_what_cannot_be_read_parks_its_instance_alone(world: World) -> None:
    shop = Shop(world.name)
    client = await world.client(shop.app)
    await world.pod(shop.app)
    one = await client.start(shop.order, Order(), key="one")
    two = await client.start(shop.order, Order(), key="two")
    await one.result(10)
    await two.result(10)
    newer = f'{{"type": "sagalog.newer.v9", "subject": "{one.id}", "data": {{}}}}'.encode()
    await world.put("events", one.id.encode(), newer)
    await world.put("events", b"never-seen", newer.replace(one.id.encode(), b"never-seen"))
    await world.put("events", two.id.encode(), b"\xff poison")
    await world.put("events", two.id.encode(), newer.replace(one.id.encode(), b"another"))
    await world.put("events", b"~nobody", newer.replace(one.id.encode(), b"~nobody"))
    unreadable = {x.id: x.state.unreadable for x in await read_states(world.log, world.name)}
    assert unreadable[one.id] > 0
    assert unreadable["never-seen"] >= 0
    assert unreadable[two.id] == -1
    assert not {"another", "~nobody"} & unreadable.keys()


async def test_an_app_that_is_not_there(world: World) -> None:
    with pytest.raises(TopicMissing):
        await read_states(world.log, "other")


async def test_a_scan_reads_up_to_the_end_and_tells_how_far_it_is(world: World) -> None:
    for number in range(5):
        await world.put("events", b"k", str(number).encode(), partition=0)
    place = (world.topics.events, 0)
    ranges = await bounds(world.log, [place, (world.topics.events, 1)])
    seen: list[int] = []
    told: list[tuple[int, int]] = []
    async for record in scan(world.log, ranges, lambda read, total: told.append((read, total))):
        seen.append(record.offset)
        await world.put("events", b"k", b"later", partition=0)
    assert seen == [0, 1, 2, 3, 4]
    assert told[-1] == (5, 5)
    assert [r.offset async for r in scan(world.log, {place: (2, 3)})] == [2]
    assert [r.offset async for r in scan(world.log, {place: (3, 3)})] == []


async def test_a_log_that_ends_with_no_record_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others' transactions leave marks at the end of a log, which no reader returns."""
    monkeypatch.setattr(history, "PATIENCE", 1)
    await world.log.append(world.topics.events, 0, [Entry(b"k", b"v")])
    ranges = {(world.topics.events, 0): (0, 3)}
    assert [record.offset async for record in scan(world.log, ranges)] == [0]
