"""The mailbox hands each answer to whoever waits for it, and to nobody else."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sagalog.schemas import codec
from sagalog.schemas.record import Entry
from sagalog.schemas.replies import Reply, ReplyKind
from sagalog.schemas.requests import ReplyTo
from sagalog.streams import LogUnavailable
from sagalog.streams.mailbox import Mailbox, Waiting
from tests.recovery.world import World, memory_world

PATIENCE = 5


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with memory_world() as world:
        yield world


@pytest.fixture
async def mailbox(world: World) -> AsyncIterator[Mailbox]:
    mailbox = Mailbox(world.log, world.topics.replies)
    await mailbox.open()
    yield mailbox
    await mailbox.close()


def expect(mailbox: Mailbox, *, started: bool = False) -> tuple[ReplyTo, Waiting]:
    to = mailbox.address()
    return to, mailbox.expect(to, "orders.normal", 0, Entry(b"k", b"v"), started=started)


async def tell(world: World, to: ReplyTo, kind: ReplyKind = "outcome", status: str = "") -> None:
    reply = Reply(to.client, to.request, kind, "x", status)
    value = codec.encode(reply, id="r", source="test", subject="x", now=1)
    await world.put("replies", to.client.encode(), value, to.partition)


async def test_an_answer_reaches_who_waits_for_it(world: World, mailbox: Mailbox) -> None:
    (to, waiting), (_, other) = expect(mailbox), expect(mailbox)
    await tell(world, to, status="completed")
    reply = await asyncio.wait_for(waiting.outcome, PATIENCE)
    assert (reply.request, reply.status) == (to.request, "completed")
    assert not other.outcome.done()
    assert list(mailbox.waiting.values()) == [other]


async def test_the_first_answer_counts(world: World, mailbox: Mailbox) -> None:
    (to, waiting), (last, until) = expect(mailbox), expect(mailbox)
    await tell(world, to, status="completed")
    await tell(world, to, status="compensated")
    await tell(world, to, kind="conflict")
    await tell(world, last)
    await asyncio.wait_for(until.outcome, PATIENCE)
    assert (await waiting.outcome).status == "completed"


async def test_a_start_is_told_apart_from_an_end(world: World, mailbox: Mailbox) -> None:
    to, waiting = expect(mailbox, started=True)
    assert waiting.started is not None
    await tell(world, to, kind="started")
    assert (await asyncio.wait_for(waiting.started, PATIENCE)).kind == "started"
    assert not waiting.outcome.done()
    await tell(world, to, status="completed")
    assert (await asyncio.wait_for(waiting.outcome, PATIENCE)).kind == "outcome"


@pytest.mark.parametrize("kind", ["conflict", "refused", "unknown", "outcome"])
async def test_any_last_word_is_a_first_one_too(
    world: World, mailbox: Mailbox, kind: ReplyKind
) -> None:
    to, waiting = expect(mailbox, started=True)
    assert waiting.started is not None
    await tell(world, to, kind=kind)
    assert (await asyncio.wait_for(waiting.started, PATIENCE)).kind == kind
    assert (await asyncio.wait_for(waiting.outcome, PATIENCE)).kind == kind


async def test_answers_to_others_are_not_opened(world: World, mailbox: Mailbox) -> None:
    to, waiting = expect(mailbox)
    await tell(world, ReplyTo(to.partition, "somebody", to.request), status="theirs")
    await world.put("replies", mailbox.client.encode(), b"not JSON", to.partition)
    await world.put("replies", None, b"", to.partition)
    await tell(world, ReplyTo(to.partition, to.client, "no such request"))
    await tell(world, to, status="mine")
    assert (await asyncio.wait_for(waiting.outcome, PATIENCE)).status == "mine"


async def test_what_was_said_before_it_opened_is_not_heard(world: World, mailbox: Mailbox) -> None:
    for partition in range(world.partitions):
        await tell(world, ReplyTo(partition, "c", "c-1"), status="old")
    late = Mailbox(world.log, world.topics.replies)
    late.client = "c"
    await late.open()
    try:
        first = late.address()
        assert first.request == "c-1"
        waiting = late.expect(first, "orders.normal", 0, Entry(b"k", b"v"), started=False)
        await tell(world, first, status="new")
        assert (await asyncio.wait_for(waiting.outcome, PATIENCE)).status == "new"
    finally:
        await late.close()


async def test_addresses_are_used_once_only(world: World, mailbox: Mailbox) -> None:
    other = Mailbox(world.log, world.topics.replies)
    addresses = [mailbox.address() for _ in range(100)] + [other.address() for _ in range(100)]
    assert len({to.request for to in addresses}) == 200
    assert mailbox.client != other.client


async def test_who_waits_when_it_closes_hears_so(world: World) -> None:
    mailbox = Mailbox(world.log, world.topics.replies)
    await mailbox.open()
    _, waiting = expect(mailbox, started=True)
    await mailbox.close()
    assert waiting.started is not None
    for future in (waiting.started, waiting.outcome):
        with pytest.raises(LogUnavailable, match="closed"):
            await asyncio.wait_for(future, PATIENCE)


async def test_a_partition_of_replies_that_was_cut_off_is_heard_again(
    world: World, mailbox: Mailbox
) -> None:
    """The broker came back with less, or retention went past: what comes then is heard."""
    place = (world.topics.replies, mailbox._partition)
    to, waiting = expect(mailbox)
    mailbox._reader.watch(place, 1_000)
    await tell(world, to, status="lost for this client")
    async with asyncio.timeout(PATIENCE):
        while not waiting.outcome.done():
            await tell(world, to, status="told again")
            await asyncio.sleep(0.1)
    assert (await waiting.outcome).status in ("told again", "lost for this client")
