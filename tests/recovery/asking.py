"""What a client may ask, and what it is answered; the same on every log."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from sagalog.engine import Terminal
from sagalog.schemas import facts as f
from sagalog.schemas.requests import StepData
from sagalog.streams import Cancelled, Conflict, NotFound, Parked, Refused, TurnedBack
from tests.recovery.shop import Order, Receipt, Shop
from tests.recovery.world import PATIENCE, World, eventually


class Asking:
    """A pod works; clients ask. `world` and `shop` are fixtures of whoever derives from this."""

    @pytest.fixture
    async def shop(self, world: World) -> Shop:
        shop = Shop(world.name)
        await world.pod(shop.app)
        return shop

    async def test_a_saga_runs_and_its_outcome_is_told(self, world: World, shop: Shop) -> None:
        client = await world.client(shop.app)
        handle = await client.start(shop.order, Order(item="lamp", flaky="charge"))
        outcome = await handle.result(PATIENCE)
        assert (outcome.instance, outcome.status, outcome.error) == (handle.id, "completed", None)
        assert list(outcome.results) == ["reserve", "charge", "ship"]
        receipt = outcome.result(shop.charge)
        assert isinstance(receipt, Receipt)
        assert receipt.item == "lamp"
        assert receipt.key == outcome.results["charge"]["key"]
        assert shop.called(handle.id) == ["reserve", "charge", "charge", "charge", "ship"]
        assert [c.attempt for c in shop.calls if c.step == "charge"] == [1, 2, 3]
        assert shop.twice() == {receipt.key}

    async def test_a_saga_that_fails_is_undone_in_reverse(self, world: World, shop: Shop) -> None:
        client = await world.client(shop.app)
        handle = await client.start(shop.order, Order(fail="ship"))
        with pytest.raises(TurnedBack, match="compensated: Terminal: no ship today") as caught:
            await handle.result(PATIENCE)
        assert caught.value.outcome.instance == handle.id
        assert shop.called(handle.id) == ["reserve", "charge", "ship", "-charge", "-reserve"]
        outcome = await handle.outcome(PATIENCE)
        assert (outcome.status, outcome.error and outcome.error.kind) == ("compensated", "terminal")

    async def test_an_undo_that_fails_for_good_waits_for_a_person(
        self, world: World, shop: Shop
    ) -> None:
        client = await world.client(shop.app)
        handle = await client.start(shop.order, Order(fail="ship", stick="refund"))
        with pytest.raises(Parked, match="not undone: charge, reserve") as caught:
            await handle.result(PATIENCE)
        assert caught.value.outcome.status == "stuck"
        assert caught.value.outcome.remaining == ("charge", "reserve")
        assert await client.release(handle.id, "charge", "resolve", by="ops") is None
        again = await client.get(handle.id)
        assert (await again.outcome(PATIENCE)).status == "compensated"
        assert shop.called(handle.id)[3:] == ["-charge", "-reserve"]

    async def test_an_operation_alone_gives_its_value(self, world: World, shop: Shop) -> None:
        client = await world.client(shop.app)
        typed = await client.submit(shop.charge, Order(item="cup"))
        named = await client.submit("charge", {"item": "cup"})
        stranger = await world.client(world.name)
        plain = await stranger.submit("charge", {"item": "cup"})
        assert (await typed.result(PATIENCE)).item == "cup"
        assert (await named.result(PATIENCE)).item == "cup"
        assert (await plain.result(PATIENCE))["item"] == "cup"

    async def test_an_operation_that_fails_for_good_parks_and_can_be_tried_again(
        self, world: World, shop: Shop
    ) -> None:
        client, broken = await world.client(shop.app), True

        @shop.app.operation
        async def mend() -> str:
            if broken:
                raise Terminal("still broken")
            return "mended"

        handle = await client.submit(mend)
        with pytest.raises(Parked, match="dead: Terminal: still broken"):
            await handle.result(PATIENCE)
        broken = False
        assert await client.release(handle.id, "mend") is None
        again = await client.get(handle.id)
        assert (await again.result(PATIENCE)).value == "mended"
        letters = await world.messages("deadletters", handle.id)
        assert [letter.data.error.message for letter in letters] == ["still broken"]

    # -- keys

    async def test_a_repeat_with_the_same_payload_finds_its_first(
        self, world: World, shop: Shop
    ) -> None:
        client, other = await world.client(shop.app), await world.client(shop.app)
        first = await client.start("order", {"item": "pen", "hang": "charge"}, key="k")
        meanwhile = await other.start("order", {"hang": "charge", "item": "pen"}, key="k")
        await shop.begins("charge")
        shop.let_go.set()
        outcomes = [await first.result(PATIENCE), await meanwhile.result(PATIENCE)]
        later = await other.start("order", {"item": "pen", "hang": "charge"}, key="k")
        outcomes.append(await later.result(PATIENCE))
        assert outcomes[0] == outcomes[1] == outcomes[2]
        assert first.id == meanwhile.id == later.id
        assert shop.called(first.id) == ["reserve", "charge", "ship"]
        assert (await world.kinds(first.id)).count("Started") == 1

    async def test_the_same_key_with_another_payload_is_a_conflict(
        self, world: World, shop: Shop
    ) -> None:
        client = await world.client(shop.app)
        first = await client.start(shop.order, Order(), key="k", confirm=True)
        with pytest.raises(Conflict):
            await client.start(shop.order, Order(item="pen"), key="k", confirm=True)
        late = await client.start(shop.order, Order(item="pen"), key="k")
        with pytest.raises(Conflict) as caught:
            await late.result(PATIENCE)
        assert caught.value.outcome.instance == first.id
        with pytest.raises(Conflict):
            await late.started(PATIENCE)
        assert (await first.result(PATIENCE)).results["ship"]["item"] == "book"

    async def test_a_key_belongs_to_a_name_and_a_tenant(self, world: World, shop: Shop) -> None:
        here, there = await world.client(shop.app), await world.client(shop.app, tenant="t")
        handles = [
            await here.start(shop.order, Order(), key="k"),
            await there.start(shop.order, Order(item="pen"), key="k"),
            await here.submit(shop.ship, Order(item="cup"), key="k"),
        ]
        assert len({handle.id for handle in handles}) == 3
        for handle in handles:
            assert (await handle.outcome(PATIENCE)).status == "completed"
        assert {c.tenant for c in shop.calls if c.instance == handles[1].id} == {"t"}

    # -- the door

    async def test_an_unknown_name_is_refused_with_a_sentence(
        self, world: World, shop: Shop
    ) -> None:
        client = await world.client(shop.app)
        with pytest.raises(Refused, match=f"{world.name} has no saga or operation of this name"):
            await client.start("odrer", {}, confirm=True)
        handle = await client.submit("chrage", {})
        with pytest.raises(Refused, match="It has: charge, order, "):
            await handle.result(PATIENCE)
        letters = await eventually(lambda: world.messages("deadletters"))
        assert {letter.data.topic for letter in letters} == {f"{world.name}.normal"}
        assert await world.messages("events", handle.id) == []

    async def test_what_does_not_exist_is_not_found(self, world: World, shop: Shop) -> None:
        client = await world.client(shop.app)
        for wait in (True, False):
            handle = await client.get("nobody", wait=wait)
            with pytest.raises(NotFound):
                await handle.outcome(PATIENCE)
        with pytest.raises(NotFound):
            await client.release("nobody", "step")

    async def test_confirm_returns_behind_the_first_fact(self, world: World, shop: Shop) -> None:
        client = await world.client(shop.app)
        handle = await client.start(shop.order, Order(hang="reserve"), confirm=True)
        assert (await world.kinds(handle.id))[0] == "Started"
        await handle.started(PATIENCE)
        with pytest.raises(TimeoutError):
            await handle.outcome(0.05)
        shop.let_go.set()
        assert (await handle.result(PATIENCE)).status == "completed"

    # -- turning back on purpose

    async def test_a_cancelled_saga_lets_its_handler_end_and_undoes_it_too(
        self, world: World, shop: Shop
    ) -> None:
        client = await world.client(shop.app)
        handle = await client.start(shop.order, Order(hang="charge"))
        await shop.begins("charge")
        await handle.cancel("changed my mind")
        await eventually(lambda: self._has(world, handle.id, "CancelRequested"))
        shop.let_go.set()
        with pytest.raises(Cancelled):
            await handle.result(PATIENCE)
        assert shop.called(handle.id) == ["reserve", "charge", "-charge", "-reserve"]
        asked = next(x for x in await world.facts(handle.id) if isinstance(x, f.CancelRequested))
        assert asked.reason == "changed my mind"

    async def test_what_has_completed_cannot_be_cancelled(self, world: World, shop: Shop) -> None:
        client = await world.client(shop.app)
        handle = await client.start(shop.order, Order())
        await handle.result(PATIENCE)
        await handle.cancel()
        await client.cancel("nobody")
        later = await client.get(handle.id)
        assert (await later.result(PATIENCE)).status == "completed"
        assert shop.called(handle.id) == ["reserve", "charge", "ship"]

    @pytest.mark.parametrize("deadline", [0.3, timedelta(milliseconds=300)], ids=repr)
    async def test_a_saga_turns_back_at_its_deadline(
        self, world: World, shop: Shop, deadline: Any
    ) -> None:
        client = await world.client(shop.app)
        await (await client.submit(shop.ship, Order())).result(PATIENCE)  # all are awake
        handle = await client.start(shop.order, Order(hang="charge"), deadline=deadline)
        await eventually(lambda: self._has(world, handle.id, "DeadlinePassed"))
        shop.let_go.set()
        with pytest.raises(TurnedBack, match="deadline"):
            await handle.result(PATIENCE)
        called = shop.called(handle.id)
        forward = [name for name in called if not name.startswith("-")]
        assert called == [*forward, *(f"-{name}" for name in reversed(forward))]
        assert len(forward) in (1, 2), "charge hangs; a slow machine may not come so far"

    # -- answers

    async def test_how_it_stands_now_is_told_without_waiting(
        self, world: World, shop: Shop
    ) -> None:
        client = await world.client(shop.app)
        handle = await client.start(shop.order, Order(hang="charge"))
        await shop.begins("charge")
        now = await (await client.get(handle.id, wait=False)).outcome(PATIENCE)
        assert (now.status, now.value) == ("running", None)
        waiting = await client.get(handle.id)
        shop.let_go.set()
        assert (await waiting.outcome(PATIENCE)).status == "completed"

    async def test_a_lost_reply_is_asked_for_again(self, world: World, shop: Shop) -> None:
        client = await world.client(shop.app)
        mailbox = client._mailbox
        place = (f"{world.name}.replies", mailbox._partition)
        mailbox._reader.drop(place)
        handle = await client.start(shop.order, Order())
        await eventually(lambda: world.messages("replies", handle.id))
        mailbox._reader.watch(place, (await world.log.ends([place]))[place])
        with pytest.raises(TimeoutError):
            await handle.outcome(0.1)
        (waiting,) = mailbox.waiting.values()
        waiting.patience = 0
        assert (await handle.outcome(PATIENCE)).status == "completed"
        sent = [record.value for record in await world.records("normal")]
        assert len(sent) >= 2
        assert len(set(sent)) == 1
        assert shop.called(handle.id) == ["reserve", "charge", "ship"]
        assert mailbox.waiting == {}

    async def test_a_closed_client_keeps_nobody_waiting(self, world: World, shop: Shop) -> None:
        client, other = await world.client(shop.app), await world.client(shop.app)
        handle = await client.start(shop.order, Order(hang="ship"))
        await shop.begins("ship")
        waiting = asyncio.create_task(handle.outcome())
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises((Exception, asyncio.CancelledError)) as caught:
            await asyncio.wait_for(waiting, PATIENCE)
        assert not isinstance(caught.value, TimeoutError | asyncio.CancelledError)
        shop.let_go.set()
        later = await other.get(handle.id)
        assert (await later.result(PATIENCE)).status == "completed"

    # -- a saga given as data

    async def test_a_saga_given_as_data_needs_no_code(self, world: World, shop: Shop) -> None:
        client = await world.client(world.name)
        steps = [
            StepData("reserve", parameters={"item": "a"}, compensation="refund",
                     compensation_parameters={"item": "b"}),
            StepData("charge", name="pay", compensation="release"),
            StepData("ship", parameters={"flaky": "ship", "item": "d"}, max_retries=1),
        ]  # fmt: skip
        handle = await client.start("bespoke", {"item": "c"}, steps=steps)
        outcome = await handle.outcome(PATIENCE)
        assert outcome.status == "compensated"
        assert shop.called(handle.id) == ["reserve", "pay", "ship", "ship", "-pay", "-reserve"]
        facts = await world.facts(handle.id)
        items = {x.step: x.result["item"] for x in facts if isinstance(x, f.StepCompleted)}
        assert items == {"reserve": "a", "pay": "c"}
        started = facts[0]
        assert started.definition.steps[0].undo_input == {"item": "b"}

    # -- priorities

    async def test_a_priority_is_a_lane_and_goes_along(self, world: World, shop: Shop) -> None:
        client = await world.client(shop.app)
        for priority in ("high", "normal", "low"):
            handle = await client.start(shop.order, Order(fail="charge"), priority=priority)
            await handle.outcome(PATIENCE)
            assert [m.subject for m in await world.messages(priority)] == [handle.id]
            told = {c.priority for c in shop.calls if c.instance == handle.id}
            assert told == {priority}
        assert len(await world.messages("compensations")) == 3

    async def _has(self, world: World, instance: str, kind: str) -> bool:
        return kind in await world.kinds(instance)
