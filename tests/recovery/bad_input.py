"""Bad input at every door: a clear error, nothing lost, and everybody else goes on."""

from base64 import b64decode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.deadletters import PoisonRecord
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.replies import Reply
from sagalog.schemas.requests import Compensate, Parent, RunOperation, StartSaga
from sagalog.streams.owner import lanes_group
from tests.recovery.shop import Order, Shop
from tests.recovery.world import PATIENCE, World, eventually

LANES = ("high", "normal", "low", "compensations")


def message(data: Any, subject: str = "x") -> bytes:
    """A message as anybody may write it."""
    return codec.encode(data, id="foreign", source="test", subject=subject, now=1_000_000)


GOOD = message(RunOperation("charge", {}, "f"))
ANSWER = Reply("c", "r", "outcome", "x")
NO_REQUESTS: Mapping[str, bytes | None] = MappingProxyType(
    {
        "a tombstone": None,
        "nothing": b"",
        "no text": b"\x00\xff\xfe",
        "no JSON": b"{",
        "no object": b"[1]",
        "no message": b'{"hello": "world"}',
        "a number for a type": b'{"type": 7, "subject": "x"}',
        "a foreign type": b'{"type": "com.example.sold", "subject": "x", "data": {}}',
        "no data": GOOD.replace(b'"data"', b'"dada"'),
        "wrong data": GOOD.replace(b'"priority":"normal"', b'"priority":"urgent"'),
        "too deep": GOOD.replace(b'"input":{}', b'"input":' + b"[" * 500 + b"]" * 500),
        "a huge integer": GOOD.replace(b'"deadline":null', b'"deadline":' + b"9" * 40),
        "a fact": message(f.Completed("r")),
        "a reply": message(ANSWER),
        "another version": GOOD.replace(b"operation.run.v1", b"operation.run.v9"),
    }
)


HUGE: Mapping[str, bytes | None] = MappingProxyType(
    {
        "bytes": b"x" * 960_000,
        "an input": GOOD.replace(b'"input":{}', b'"input":"' + b"x" * 960_000 + b'"'),
    }
)


class BadInput:
    """A pod works and a client asks, while records arrive that nobody should have written."""

    @pytest.fixture
    async def shop(self, world: World) -> Shop:
        shop = Shop(world.name)
        await world.pod(shop.app)
        return shop

    async def letters(self, world: World) -> list[Any]:
        return [letter.data for letter in await world.messages("deadletters")]

    # -- records that nobody should have written

    @pytest.mark.parametrize("lane", LANES)
    async def test_what_is_no_request_is_dead_lettered_as_it_was(
        self, world: World, shop: Shop, lane: str
    ) -> None:
        client, partition = await world.client(shop.app), partition_of(b"x", world.partitions)
        sent = {
            await world.put(lane, b"x", value, partition): (name, value)
            for name, value in NO_REQUESTS.items()
        }
        await shop.all_well(world, client)
        letters = await eventually(lambda: self._poison(world, len(NO_REQUESTS)))
        assert sorted(letter.offset for letter in letters) == sorted(sent)
        for letter in letters:
            name, value = sent[letter.offset]
            assert (letter.topic, letter.partition) == (f"{world.name}.{lane}", partition)
            assert letter.key is not None
            assert b64decode(letter.key) == b"x"
            assert letter.reason, name
            assert letter.entry().value == value, name
        place = (f"{world.name}.{lane}", partition)
        end = (await world.log.ends([place]))[place]

        async def committed() -> bool:
            found = await world.log.committed(lanes_group(world.name), [place])
            return found.get(place) == end

        await eventually(committed)

    @pytest.mark.parametrize("topic", ["normal", "compensations", "events"])
    @pytest.mark.parametrize("name", HUGE)
    async def test_a_huge_record_is_dead_lettered_and_stops_nobody(
        self, world: World, shop: Shop, name: str, topic: str
    ) -> None:
        client, value = await world.client(shop.app), HUGE[name]
        assert value is not None
        offset = await world.put(topic, b"x", value)
        await shop.all_well(world, client)
        (letter,) = await eventually(lambda: self._poison(world, 1))
        assert (letter.topic, letter.offset) == (f"{world.name}.{topic}", offset)
        assert letter.value is not None
        assert value.startswith(b64decode(letter.value)[:1000])

    async def _poison(self, world: World, count: int) -> list[PoisonRecord]:
        found = [x for x in await self.letters(world) if isinstance(x, PoisonRecord)]
        return found if len(found) >= count else []

    async def test_what_is_no_fact_is_dead_lettered_and_changes_nothing(
        self, world: World, shop: Shop
    ) -> None:
        client, partition = await world.client(shop.app), partition_of(b"x", world.partitions)
        values = {name: value for name, value in NO_REQUESTS.items() if name != "a fact"}
        values |= {"a request": GOOD, "another's": message(f.Completed("r"), subject="y")}
        values.pop("another version")  # parks: see below
        sent = {await world.put("events", b"x", v, partition): v for v in values.values()}
        await shop.all_well(world, client)
        letters = await eventually(lambda: self._poison(world, len(sent)))
        assert sorted({letter.offset for letter in letters}) == sorted(sent)

    async def test_a_fact_of_tomorrow_parks_its_own_instance_only(
        self, world: World, shop: Shop
    ) -> None:
        client = await world.client(shop.app)
        handle = await client.start(shop.order, Order(hang="charge"))
        await shop.begins("charge")
        tomorrow = message(f.Completed("r"), handle.id).replace(b"completed.v1", b"completed.v9")
        await world.put("events", handle.id.encode(), tomorrow)
        await shop.all_well(world, client)
        shop.let_go.set()
        await eventually(lambda: self._has(world, handle.id, "StepCompleted", 2))
        with pytest.raises(TimeoutError):
            await handle.outcome(0.3)
        assert shop.called(handle.id) == ["reserve", "charge"]

    async def test_a_forged_fact_changes_nothing(self, world: World, shop: Shop) -> None:
        client = await world.client(shop.app)
        handle = await client.start(shop.order, Order(hang="charge"))
        await shop.begins("charge")
        run = (await world.facts(handle.id))[0].run
        forged = [
            f.Completed(run),
            f.Compensated(run),
            f.StepCompleted("another life", "charge", 1, "forged"),
            f.StepCompleted(run, "no such step", 1),
            f.StepFailed(run, "charge", 7, f.Failure("terminal", "x", "x"), final=True),
            f.StepFailed(run, "ship", 1, f.Failure("terminal", "x", "x"), final=True),
            f.StepCompensated(run, "reserve", 1),
            f.DeadlinePassed(run, 12345),
            f.Forgotten(run),
            f.Completed("nobody's"),
        ]
        for fact in forged:
            await world.put("events", handle.id.encode(), message(fact, handle.id))
        await world.put("events", b"nobody", message(f.Forgotten("r"), "nobody"))
        await shop.all_well(world, client)
        shop.let_go.set()
        outcome = await handle.result(PATIENCE)
        assert shop.called(handle.id) == ["reserve", "charge", "ship"]
        assert outcome.results["charge"]["step"] == "charge"

    async def test_what_is_no_reply_reaches_nobody(self, world: World, shop: Shop) -> None:
        client = await world.client(shop.app)
        partition, me = client._mailbox._partition, client._mailbox.client.encode()
        handle = await client.start(shop.order, Order(hang="charge"))
        await shop.begins("charge")
        for value in NO_REQUESTS.values():
            await world.put("replies", me, value, partition)
            await world.put("replies", None, value, partition)
        forged = Reply(client._mailbox.client, "another request", "outcome", handle.id, "completed")
        await world.put("replies", me, message(forged), partition)
        await world.put("replies", b"another client", message(ANSWER), partition)
        await shop.all_well(world, client)
        with pytest.raises(TimeoutError):
            await handle.outcome(0.05)
        shop.let_go.set()
        assert (await handle.result(PATIENCE)).status == "completed"

    async def test_a_request_in_a_wrong_partition_is_forwarded_to_its_own(
        self, world: World, shop: Shop
    ) -> None:
        own = partition_of(b"x", world.partitions)
        wrong = (own + 1) % world.partitions
        await world.ask("normal", StartSaga("order", {}, "f"), "x", partition=wrong)
        await eventually(lambda: self._has(world, "x", "Completed"))
        assert {message_.subject for message_ in await world.messages("events", "x")} == {"x"}
        places = [r.partition for r in await world.records("events") if r.key == b"x"]
        assert set(places) == {own}
        assert shop.called("x") == ["reserve", "charge", "ship"]

    @pytest.mark.parametrize("parent", [("nowhere", 0), ("", 99), ("", -1), ("", 2**62)], ids=repr)
    async def test_a_parent_that_does_not_exist_harms_nobody_else(
        self, world: World, shop: Shop, parent: tuple[str, int]
    ) -> None:
        client = await world.client(shop.app)
        app, number = parent[0] or world.name, parent[1]
        request = RunOperation("charge", {}, "f", parent=Parent(app, number, "p", "r", "s"))
        await world.ask("normal", request, "x")
        await eventually(lambda: self._has(world, "x", "Completed"))
        await shop.all_well(world, client)
        taken = [m for m in await world.messages("events") if isinstance(m.data, f.Taken)]
        assert len(taken) <= 2 * world.partitions

    @pytest.mark.parametrize("to", [99, -1, 2**62])
    async def test_an_address_for_replies_that_does_not_exist_harms_nobody(
        self, world: World, shop: Shop, to: int
    ) -> None:
        client = await world.client(shop.app)
        request = RunOperation("charge", {}, "f", confirm=True)
        value = message(request).replace(
            b'"reply_to":null', b'"reply_to":{"partition":%d,"client":"c","request":"r"}' % to
        )
        await world.put("normal", b"x", value)
        await eventually(lambda: self._has(world, "x", "Completed"))
        await shop.all_well(world, client)

    async def test_an_undo_of_what_never_was_is_harmless(self, world: World, shop: Shop) -> None:
        client = await world.client(shop.app)
        for request in (
            Compensate(1, run="r", step="charge"),
            Compensate(1, parent=Parent(world.name, 0, "p", "r", "s")),
            Compensate(1, parent=Parent(world.name, 0, "p", "r", "s"), known=True),
            Compensate(1),
        ):
            await world.ask("compensations", request, "x")
        await shop.all_well(world, client)
        assert "x" not in {context.instance for context in shop.calls}

    async def _has(self, world: World, instance: str, kind: str, times: int = 1) -> bool:
        return (await world.kinds(instance)).count(kind) >= times
