"""The dispatcher appends what is wanted, in order, and says what follows once it is durable."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sagalog.engine import App
from sagalog.engine.effects import Append, LaneDone, Then
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Entry
from sagalog.schemas.topics import TopicSpec
from sagalog.streams.dispatcher import Dispatcher, patiently
from sagalog.streams.embedded import MemoryLog
from sagalog.streams.errors import LogUnavailable
from sagalog.streams.owner import Owner
from tests.recovery.world import World, eventually, memory_world, read_all


class Office:
    """A dispatcher and what it has told."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.owner = Owner(App("orders"), world.log, 0, 2, lambda: 1, nonce="n")
        self.acknowledged: list[Then] = []
        self.broken: list[BaseException] = []
        self.dispatcher = Dispatcher("orders", world.log, self._acknowledged, self._broken)

    def _acknowledged(self, owner: Owner, thens: list[Then]) -> None:
        assert owner is self.owner
        self.acknowledged += thens

    def _broken(self, owner: Owner, error: BaseException) -> None:
        assert owner is self.owner
        self.broken.append(error)

    def append(self, *appends: Append) -> None:
        self.dispatcher.append(self.owner, list(appends))

    async def values(self, topic: str, partition: int = 0) -> list[bytes]:
        return [r.value or b"" for r in await read_all(self.world.log, (topic, partition))]

    async def told(self, *thens: LaneDone) -> bool:
        return self.acknowledged == [*thens]


def to(topic: str, value: bytes, done: int | None = None, partition: int | None = 0) -> Append:
    then = None if done is None else LaneDone("normal", done)
    return Append(topic, partition, Entry(b"k", value), then)


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with memory_world() as world:
        office = Office(world)
        yield office
        await office.dispatcher.close()


async def test_appends_to_one_place_keep_their_order(office: Office) -> None:
    appends = [to("orders.events", b"%d" % n, done=n) for n in range(50)]
    office.append(*appends[:20])
    office.append(*appends[20:])
    await eventually(lambda: office.told(*(LaneDone("normal", n) for n in range(50))))
    assert await office.values("orders.events") == [b"%d" % n for n in range(50)]


async def test_what_follows_is_told_once_it_is_durable_and_not_before(office: Office) -> None:
    office.append(to("orders.events", b"a", done=1), to("orders.events", b"b"))
    assert office.acknowledged == []
    await eventually(lambda: office.told(LaneDone("normal", 1)))
    assert await office.values("orders.events") == [b"a", b"b"]


async def test_an_append_that_fails_breaks_its_owner(office: Office) -> None:
    office.append(to("orders.events", b"x" * 2_000_000, done=1), to("orders.high", b"a", done=2))
    await eventually(lambda: office.told(LaneDone("normal", 2)))
    assert [type(error).__name__ for error in office.broken] == ["RecordTooLarge"]


async def test_a_lost_reply_breaks_nothing(office: Office) -> None:
    office.append(to("orders.replies", b"a", partition=99), to("orders.events", b"b", done=1))
    await eventually(lambda: office.told(LaneDone("normal", 1)))
    assert office.broken == []


async def test_the_partition_is_that_of_the_key_in_the_topic_it_goes_to(office: Office) -> None:
    await office.world.log.create([TopicSpec("wide.normal", 7)])
    office.append(to("wide.normal", b"a", done=1, partition=None))
    office.append(to("wide.normal", b"b", done=2, partition=None))
    await eventually(lambda: office.told(LaneDone("normal", 1), LaneDone("normal", 2)))
    assert await office.values("wide.normal", partition_of(b"k", 7)) == [b"a", b"b"]


async def test_a_topic_that_is_not_there_yet_is_waited_for(office: Office) -> None:
    office.append(to("there.normal", b"a", done=1, partition=None))
    office.append(to("there.events", b"b", done=2, partition=3))
    office.append(to("orders.events", b"c", done=3))
    await eventually(lambda: office.told(LaneDone("normal", 3)))
    await office.world.log.create([TopicSpec("there.normal", 1), TopicSpec("there.events", 4)])
    await eventually(lambda: _all(office, {1, 2, 3}))
    assert await office.values("there.normal") == [b"a"]
    assert await office.values("there.events", 3) == [b"b"]
    assert office.broken == []


async def _all(office: Office, numbers: set[int]) -> bool:
    return {then.offset for then in office.acknowledged if isinstance(then, LaneDone)} == numbers


async def test_another_partition_of_this_app_is_as_far_away_as_another_app(office: Office) -> None:
    office.append(to("orders.events", b"a", done=1, partition=1))
    office.append(to("orders.events", b"b", done=2, partition=9))
    await eventually(lambda: office.told(LaneDone("normal", 1)))
    assert await office.values("orders.events", 1) == [b"a"]
    assert office.broken == []


async def test_closing_waits_for_no_topic(office: Office) -> None:
    office.append(to("there.normal", b"a", done=1, partition=None))
    await asyncio.sleep(0)
    await asyncio.wait_for(office.dispatcher.close(), 5)
    assert office.acknowledged == []


async def test_patience_ends_with_success() -> None:
    tries = 0

    async def attempt() -> str:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise LogUnavailable("not yet")
        return "done"

    assert await asyncio.wait_for(patiently("do it", attempt), 5) == "done"
    assert tries == 3


async def test_patience_is_for_the_log_only() -> None:
    async def attempt() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(patiently("do it", attempt), 5)


async def test_a_log_that_was_closed_breaks_nobody_twice(office: Office) -> None:
    """What was handed to the log before it closed is told once, whatever came of it."""
    log = MemoryLog(office.world.log.store) if isinstance(office.world.log, MemoryLog) else None
    assert log is not None
    office.dispatcher = Dispatcher("orders", log, office._acknowledged, office._broken)
    office.append(to("orders.events", b"a", done=1))
    await log.close()
    await eventually(lambda: office.told(LaneDone("normal", 1)))
    assert office.broken == []
