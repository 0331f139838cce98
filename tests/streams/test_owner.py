"""An owner takes a partition, keeps its table, and knows where its lanes are read from."""

from collections.abc import AsyncIterator
from contextlib import suppress
from secrets import token_hex

import pytest

from sagalog.engine import App
from sagalog.engine.errors import Impossible
from sagalog.schemas import facts as f
from sagalog.schemas.record import Entry
from sagalog.schemas.requests import RunOperation
from sagalog.streams import Fenced, LogUnavailable
from sagalog.streams.owner import Owner, lanes_group
from tests.recovery.world import World, memory_world, read_all


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with memory_world() as world:
        yield world


@pytest.fixture
def app() -> App:
    app = App("orders")

    @app.operation
    async def work() -> None: ...

    return app


async def new_owner(world: World, app: App) -> Owner:
    owner = Owner(app, world.log, 0, world.partitions, lambda: 1_000, nonce=token_hex(6))
    await owner.take()
    return owner


async def perform(world: World, owner: Owner) -> None:
    """Append what the owner wants appended, and let it read that."""
    for topic, partition, entry, then in owner.processor.effects().appends:
        await world.log.append(topic, partition or 0, [entry])
        if then is not None:
            owner.processor.acknowledged(then, 1_000)
    records = await read_all(world.log, owner.events)
    owner.processor.fold([r for r in records if r.offset >= owner.processor.position], 1_000)


async def ask(world: World, instance: str = "x") -> None:
    await world.ask("normal", RunOperation("work", None, "f"), instance, partition=0)


async def take_in(world: World, owner: Owner) -> None:
    for record in await read_all(world.log, ("orders.normal", 0)):
        owner.processor.intake("normal", record, 1_000)


async def away(*_: object) -> None:
    raise LogUnavailable("planted")


async def test_it_announces_itself_and_acts_once_it_has_read_that(world: World, app: App) -> None:
    owner = await new_owner(world, app)
    phases = [str(owner.processor.phase)]
    await perform(world, owner)
    assert [*phases, owner.processor.phase] == ["folding", "acting"]
    (message,) = await world.messages("events")
    assert isinstance(message.data, f.Taken)


async def test_taking_fences_whoever_held_it_before(world: World, app: App) -> None:
    first = await new_owner(world, app)
    await perform(world, first)
    second = await new_owner(world, app)
    with pytest.raises(Fenced):
        await first.checkpoint()
    await perform(world, second)
    await second.checkpoint()
    await perform(world, first)
    assert (first.processor.phase, second.processor.phase) == ("lost", "acting")
    await first.checkpoint()


async def test_it_goes_on_from_the_checkpoint(world: World, app: App) -> None:
    first = await new_owner(world, app)
    await perform(world, first)
    await ask(world)
    await take_in(world, first)
    await perform(world, first)
    await first.checkpoint()
    second = await new_owner(world, app)
    assert second.start == first.processor.position == 2
    assert second.processor.table.get("x") == first.processor.table.get("x")


async def test_a_checkpoint_without_news_writes_nothing(world: World, app: App) -> None:
    owner = await new_owner(world, app)
    await perform(world, owner)
    writes = list[int]()
    assert owner._table is not None
    write = owner._table.write

    async def counted(rows: list[Entry]) -> None:
        writes.append(len(rows))
        await write(rows)

    owner._table.write = counted  # type: ignore[method-assign, assignment]
    await owner.checkpoint()
    await owner.checkpoint()
    assert writes == [1]


async def test_lanes_are_committed_below_what_is_not_in_the_log(world: World, app: App) -> None:
    owner = await new_owner(world, app)
    await perform(world, owner)
    for name in ("x", "y"):
        await ask(world, name)
    place = ("orders.normal", 0)
    await take_in(world, owner)
    await owner.checkpoint()
    assert await world.log.committed(lanes_group("orders"), [place]) == {}
    await perform(world, owner)
    await owner.checkpoint()
    assert await world.log.committed(lanes_group("orders"), [place]) == {place: 2}
    assert (await new_owner(world, app)).lanes[place] == 2


async def test_a_former_owner_moves_no_commit_back(
    world: World, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stopped between its checkpoint and its commit, and goes on as a zombie."""
    place, group = ("orders.normal", 0), lanes_group("orders")
    first = await new_owner(world, app)
    await perform(world, first)
    await ask(world, "x")
    await take_in(world, first)
    await perform(world, first)
    with monkeypatch.context() as patch:
        patch.setattr(world.log, "commit", away)
        with pytest.raises(LogUnavailable):
            await first.checkpoint()
    second = await new_owner(world, app)
    await perform(world, second)
    await ask(world, "y")
    await take_in(world, second)
    await perform(world, second)
    await second.checkpoint()
    assert await world.log.committed(group, [place]) == {place: 2}
    with suppress(Fenced):
        await first.checkpoint()
    assert await world.log.committed(group, [place]) == {place: 2}


async def test_lanes_are_read_from_the_higher_of_commit_and_start(world: World, app: App) -> None:
    for name in ("a", "b", "c", "d"):
        await ask(world, name)
    place = ("orders.normal", 0)
    assert (await new_owner(world, app)).lanes[place] == 0
    await world.log.commit(lanes_group("orders"), {place: 1})
    assert (await new_owner(world, app)).lanes[place] == 1
    await world.log.trim({place: 2})
    lanes = (await new_owner(world, app)).lanes
    assert lanes[place] == 2
    assert set(lanes) == {(topic, 0) for topic in world.topics.lanes}


async def test_a_checkpoint_beyond_the_end_of_the_log_is_impossible(world: World, app: App) -> None:
    """As after a broker lost the end of its log, or with another app's tables."""
    owner = await new_owner(world, app)
    await perform(world, owner)
    await owner.checkpoint()
    rows = await (await world.log.checkpoints("orders.tables", 0)).restore()
    async with memory_world() as other:
        table = await other.log.checkpoints("orders.tables", 0)
        await table.write([Entry(key, value) for key, value in rows.items()])
        with pytest.raises(Impossible, match="beyond the log's end"):
            await new_owner(other, app)


async def test_a_log_that_starts_behind_the_checkpoint_is_impossible(
    world: World, app: App
) -> None:
    owner = await new_owner(world, app)
    await perform(world, owner)
    await owner.checkpoint()
    for _ in range(3):
        await world.put("events", b"x", b"{}", 0)
    await world.log.trim({owner.events: 3})
    with pytest.raises(Impossible, match="the log starts at 3"):
        await new_owner(world, app)


async def test_a_new_log_that_begins_late_is_impossible_too(world: World, app: App) -> None:
    await world.put("events", b"x", b"{}", 0)
    await world.log.trim({("orders.events", 0): 1})
    with pytest.raises(Impossible, match="the log starts at 1"):
        await new_owner(world, app)


async def test_nothing_is_forgotten_before_the_lanes_are_read_past_its_end(
    world: World, app: App
) -> None:
    owner = await new_owner(world, app)
    await perform(world, owner)
    await ask(world)
    await owner.poll_lanes()
    read = dict.fromkeys(("high", "normal", "low", "compensations"), 0)
    assert owner.processor.horizon.read(read) == 0
    assert owner.processor.horizon.read(read | {"normal": 1}) == owner.processor.time > 0


async def test_closing_before_or_after_the_take_is_harmless(world: World, app: App) -> None:
    owner = Owner(app, world.log, 0, world.partitions, lambda: 1, nonce=token_hex(6))
    await owner.close()
    await owner.take()
    await owner.close()


async def test_a_checkpoint_waits_for_the_dead_letters_below_it(world: World, app: App) -> None:
    owner = await new_owner(world, app)
    await perform(world, owner)
    await world.log.append("orders.events", 0, [Entry(b"x", b"no JSON")])
    records = await read_all(world.log, owner.events)
    owner.processor.fold(records[owner.processor.position :], 1_000)
    await owner.checkpoint()
    assert owner._table is not None
    assert await owner._table.restore() == {}
    await perform(world, owner)
    await owner.checkpoint()
    assert len(await world.messages("deadletters")) == 1
    assert await owner._table.restore() != {}
