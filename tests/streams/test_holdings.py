"""Holdings: partitions come, go, come back, and are never held twice."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from sagalog.engine import App
from sagalog.engine.errors import Impossible
from sagalog.streams.errors import LogUnavailable
from sagalog.streams.holdings import Holdings
from sagalog.streams.owner import Owner
from tests.recovery.world import World, eventually, memory_world


class Slow(Owner):
    """An owner whose take waits for the test, and may fail."""

    house: "House"
    taken = closed = False

    async def take(self) -> None:
        self.house.taking += 1
        self.house.most = max(self.house.most, self.house.taking)
        try:
            if self.house.errors:
                raise self.house.errors.pop(0)
            await self.house.gate.wait()
            self.taken = True
        finally:
            self.house.taking -= 1

    async def close(self) -> None:
        await self.house.closing.wait()
        self.closed = True


class House:
    """Holdings, and what they did."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.gate, self.closing = asyncio.Event(), asyncio.Event()
        self.gate.set()
        self.closing.set()
        self.errors: list[Exception] = []
        self.made: list[Slow] = []
        self.adopted: list[int] = []
        self.dropped: list[int] = []
        self.given_up: list[int] = []
        self.taking = self.most = 0
        self.holdings = Holdings(self._make, self._adopt, self._drop, self._give_up)

    def _make(self, number: int) -> Owner:
        owner = Slow(App("orders"), self.world.log, number, 2, lambda: 1, nonce=f"{number}")
        owner.house = self
        self.made.append(owner)
        return owner

    def _adopt(self, owner: Owner) -> None:
        self.adopted.append(owner.number)

    def _drop(self, owner: Owner) -> None:
        self.dropped.append(owner.number)

    async def _give_up(self, owner: Owner) -> None:
        self.given_up.append(owner.number)
        await self.holdings.release(owner)

    async def holds(self, *numbers: int) -> bool:
        return set(self.holdings.owners) == set(numbers)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with memory_world() as world:
        house = House(world)
        yield house
        house.gate.set()
        house.closing.set()
        await asyncio.wait_for(house.holdings.close(), 10)


async def test_what_is_assigned_is_taken_and_what_is_revoked_is_given_up(house: House) -> None:
    await house.holdings.assigned(frozenset({0, 1}))
    await eventually(lambda: house.holds(0, 1))
    await house.holdings.revoked(frozenset({1}))
    assert set(house.holdings.owners) == {0}
    assert (house.given_up, house.dropped) == ([1], [1])
    assert [owner.closed for owner in house.made] == [False, True]


async def test_what_is_held_is_not_taken_again(house: House) -> None:
    await house.holdings.assigned(frozenset({0}))
    await eventually(lambda: house.holds(0))
    await house.holdings.assigned(frozenset({0, 1}))
    await eventually(lambda: house.holds(0, 1))
    assert sorted(house.adopted) == [0, 1]


async def test_a_partition_that_is_revoked_while_it_is_taken_is_not_held(house: House) -> None:
    house.gate.clear()
    await house.holdings.assigned(frozenset({0}))
    await eventually(lambda: _true(house.taking))
    await house.holdings.revoked(frozenset({0}))
    house.gate.set()
    await eventually(lambda: _true(all(owner.closed for owner in house.made)))
    assert (house.holdings.owners, house.adopted) == ({}, [])


async def test_a_partition_that_comes_back_while_it_is_let_go_is_taken_once(house: House) -> None:
    """The take that was cancelled ends late, since its owner closes slowly."""
    house.gate.clear()
    house.closing.clear()
    await house.holdings.assigned(frozenset({0}))
    await eventually(lambda: _true(house.taking))
    await house.holdings.revoked(frozenset({0}))
    await house.holdings.assigned(frozenset({0}))
    await eventually(lambda: _true(len(house.made) == 2))
    house.closing.set()
    await eventually(lambda: _true(house.made[0].closed))
    await house.holdings.assigned(frozenset({0}))
    for _ in range(10):
        await asyncio.sleep(0)
    house.gate.set()
    await eventually(lambda: house.holds(0))
    assert house.adopted == [0]
    assert len(house.made) == 2
    await house.holdings.revoked(frozenset({0}))
    assert house.holdings.owners == {}


async def test_a_take_that_the_log_refuses_is_tried_again(house: House) -> None:
    house.errors = [LogUnavailable("not yet"), LogUnavailable("not yet")]
    await house.holdings.assigned(frozenset({0}))
    await eventually(lambda: house.holds(0))
    assert [owner.closed for owner in house.made] == [True, True, False]


async def test_an_impossible_position_stops_its_partition_only(house: House) -> None:
    house.errors = [Impossible("the log has lost facts")]
    await house.holdings.assigned(frozenset({0, 1}))
    await eventually(lambda: _true(len(house.made) == 2 and house.holdings.owners))
    for _ in range(10):
        await asyncio.sleep(0)
    (held,) = house.holdings.owners
    assert len(house.made) == 2
    assert house.adopted == [held]


async def test_any_other_error_is_told_and_the_take_repeated(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sagalog.streams.holdings.LONGEST_WAIT", 0.1)
    house.errors = [KeyError("a row that nobody can read")]
    await house.holdings.assigned(frozenset({0}))
    await eventually(lambda: house.holds(0))
    assert "partition cannot be taken" in caplog.text


async def test_trouble_is_met_ever_more_slowly(house: House) -> None:
    loop = asyncio.get_running_loop()
    times: list[float] = []
    await house.holdings.assigned(frozenset({0}))
    for _ in range(4):
        await eventually(lambda: house.holds(0), pause=0.001)
        times.append(loop.time())
        owner = house.holdings.owners[0]
        house.holdings.broken(owner, LogUnavailable("an append failed"))
        house.holdings.broken(owner, LogUnavailable("and another"))
        await eventually(house.holds, pause=0.001)
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits == sorted(waits)
    assert waits[-1] > 3 * waits[0]
    assert house.most == 1


async def test_what_another_took_is_taken_back_if_it_stays_assigned(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sagalog.streams.holdings.LATE", 0.1)
    await house.holdings.assigned(frozenset({0, 1}))
    await eventually(lambda: house.holds(0, 1))
    house.holdings.lost(house.holdings.owners[0])
    house.holdings.lost(house.holdings.owners[1])
    await eventually(house.holds)
    await house.holdings.revoked(frozenset({1}))
    await eventually(lambda: house.holds(0))
    assert house.adopted.count(1) == 1
    assert house.given_up == []


async def test_closing_takes_nothing_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sagalog.streams.holdings.LATE", 0.05)
    await house.holdings.assigned(frozenset({0, 1}))
    await eventually(lambda: house.holds(0, 1))
    house.holdings.lost(house.holdings.owners[0])
    await house.holdings.close()
    await asyncio.sleep(0.1)
    assert house.holdings.owners == {}
    assert sorted(house.dropped) == [0, 1]
    assert sorted(house.adopted) == [0, 1]


async def _true(value: object) -> object:
    return value
