"""Dead letters: read as one each, and judged by what their instance is now."""

from collections.abc import AsyncIterator

import pytest

from sagalog.schemas.deadletters import FailedStep, PoisonRecord
from sagalog.schemas.record import Record
from sagalog.streams.deadletters import (
    Letter,
    Replay,
    mark,
    matching,
    read_instances,
    read_letters,
    short,
    standing,
    too_old,
)
from tests.recovery.shop import Order, Shop
from tests.recovery.world import World, eventually, memory_world

DAY = 86_400_000


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with memory_world() as world:
        yield world


async def stuck(world: World, shop: Shop) -> Letter:
    """The letter of an undo that failed for good."""
    client = await world.client(shop.app)
    handle = await client.start(shop.order, Order(fail="charge", stick="release"))
    await handle.outcome(10)

    async def undo() -> list[Letter]:
        letters = await read_letters(world.log, world.name)
        return [x for x in letters if isinstance(x.data, FailedStep) and x.data.phase == "undo"]

    (letter,) = await eventually(undo)
    return letter


async def test_copies_are_one_letter_and_a_replay_shows(world: World) -> None:
    shop = Shop(world.name)
    await world.pod(shop.app)
    letter = await stuck(world, shop)
    (record,) = [
        r for r in await world.records("deadletters") if letter.id.encode() in (r.value or b"")
    ]
    await world.log.append(record.topic, record.partition, [letter.entry])
    replay = Replay("released", 7, "eva")
    await mark(world.log, world.name, letter, replay)
    again = [x for x in await read_letters(world.log, world.name) if x.id == letter.id]
    assert [one.replays for one in again] == [(replay,)]
    assert again[0].time == letter.time


async def test_how_a_letter_stands(world: World) -> None:
    shop = Shop(world.name)
    await world.pod(shop.app)
    letter = await stuck(world, shop)
    letters = await read_letters(world.log, world.name)
    instances = await read_instances(world.log, world.name, letters)
    (instance,) = instances.values()
    assert standing(letter, instance) == "waits"
    assert standing(letters[0], instance) == "ended"  # the charge that made it turn back
    assert standing(letter, None) == "gone"
    assert standing(letter, instance._replace(run="another life")) == "gone"
    assert standing(letter, instance._replace(status="compensating")) == "moved on"
    assert standing(letter, instance._replace(status="compensated", undoing=())) == "ended"


def poison(value: bytes) -> PoisonRecord:
    return PoisonRecord.of(Record("shop.normal", 1, 5, 0, b"k", value, (("h", b"\x00"),)), "why")


def test_a_record_stands_until_it_is_put_back() -> None:
    record = poison(b"\xff")
    letter = Letter("shop.normal/1/5", 1, 0, record, record.entry())
    assert standing(letter, None) == "record"
    put_back = Letter(
        letter.id, 1, 0, record, letter.entry, replays=(Replay("appended", 1, "eva"),)
    )
    assert standing(put_back, None) == "replayed"


def test_a_start_that_the_app_would_drop() -> None:
    start = (
        b'{"type": "sagalog.saga.start.v1", "subject": "a", "data": '
        b'{"name": "x", "input": 1, "fingerprint": "f", "cause_time": 1000}}'
    )
    assert "asks to start 'x' and is older than the 86400 s" in too_old(poison(start), 2000 + DAY)
    assert too_old(poison(start), 2000) == ""
    assert too_old(poison(start), 2000, retention=500) != ""
    assert too_old(poison(b"\xff"), 2000 + DAY) == ""


def test_a_letter_is_found_by_what_it_is_called() -> None:
    record = poison(b"")
    letters = [Letter(f"shop.normal/1/{n}", 1, 0, record, record.entry()) for n in (1, 12)]
    assert matching(letters, "shop.normal/1/1") == letters[:1]
    assert matching(letters, short("shop.normal/1/12")) == letters[1:]
    assert matching(letters, "shop.n") == letters
    assert matching(letters, "x") == []
