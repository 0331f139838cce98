"""Handlers that raise, hang or return what cannot be kept: an error, and everybody else goes on."""

import asyncio
from typing import Any

import pytest

from sagalog.engine import App, Context, Retry, Terminal, step
from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.definition import Json
from sagalog.streams import Parked, RecordTooLarge, Refused, TurnedBack
from tests.recovery.shop import Shop
from tests.recovery.world import PATIENCE, World, eventually

LIMIT = 100_000
"""Bytes of a record in the world `small`."""


class BadResults:
    """`world`, and `small` with its lower limit, are fixtures of whoever derives from this."""

    @pytest.fixture
    async def shop(self, world: World) -> Shop:
        shop = Shop(world.name)
        await world.pod(shop.app)
        return shop

    @pytest.mark.parametrize(
        ("result", "said"),
        [
            pytest.param(object(), "InvalidResult: .*JSON cannot hold", id="no JSON"),
            pytest.param(3, "InvalidResult: careless returned value: .*string", id="wrong type"),
            pytest.param("x" * 1_000_000, "ResultUnwritable: .*over", id="too large"),
            pytest.param("\udcff", "InvalidResult", id="no UTF-8"),
        ],
    )
    async def test_a_result_that_cannot_be_kept_turns_the_saga_back(
        self, world: World, shop: Shop, result: Any, said: str
    ) -> None:
        """It ran: so its undo is called, although there is no result."""
        undone: list[Any] = []

        @shop.app.operation
        async def repair(_: Json, ctx: Context) -> None:
            undone.append(ctx.result("careless"))

        async def careless(_: Json) -> Any:
            return result

        careless.__annotations__["return"] = object if type(result) is object else str
        operation = shop.app.operation(undo=repair)(careless)
        saga = shop.app.saga("risky", step(shop.reserve), step(operation))
        client = await world.client(shop.app)
        handle = await client.start(saga, {})
        with pytest.raises(TurnedBack, match=said):
            await handle.result(PATIENCE)
        assert undone == [None]
        assert shop.called(handle.id) == ["reserve", "-reserve"]
        await shop.all_well(world, client)

    @pytest.mark.parametrize("size", [900_000, 949_000, 949_500, 950_000, 990_000])
    async def test_a_large_result_is_kept_or_invalid_and_nothing_between(
        self, world: World, shop: Shop, size: int
    ) -> None:
        @shop.app.operation
        async def large() -> str:
            return "x" * size

        client = await world.client(shop.app)
        handle = await client.submit(large)
        outcome = await handle.outcome(PATIENCE)
        if outcome.status == "completed":
            assert size < 951_000
        else:
            assert outcome.error is not None
            assert (outcome.status, outcome.error.kind) == ("dead", "invalid")
            assert size > 940_000
        facts = [fact for fact in await world.facts(handle.id) if isinstance(fact, f.StepCompleted)]
        assert [len(fact.result) for fact in facts] == (
            [size] if outcome.status == "completed" else []
        )

    @pytest.mark.parametrize("size", [60_000, 99_000, 300_000])
    async def test_a_log_with_a_lower_limit_says_so_and_goes_on(
        self, small: World, size: int
    ) -> None:
        """LIMIT bytes a record, as brokers may be set."""
        shop = Shop(small.name)
        await small.pod(shop.app)

        @shop.app.operation
        async def large() -> str:
            return "x" * size

        client = await small.client(shop.app)
        handle = await client.submit(large)
        outcome = await handle.outcome(PATIENCE)
        if outcome.status == "completed":
            assert size < LIMIT
        else:
            assert outcome.error is not None
            assert (outcome.status, outcome.error.kind) == ("dead", "invalid")
            assert size > LIMIT / 2
        await shop.all_well(small, client)

    @pytest.mark.parametrize("size", [50_000, 99_000, 300_000])
    async def test_a_request_over_a_lower_limit_is_refused_where_it_is_asked(
        self, small: World, size: int
    ) -> None:
        shop = Shop(small.name)
        await small.pod(shop.app)
        client = await small.client(shop.app)
        try:
            handle = await client.submit(shop.charge, {"item": "x" * size})
            outcome = await handle.outcome(PATIENCE)
        except (RecordTooLarge, Refused):
            assert size > LIMIT / 2
        else:
            assert outcome.status in ("completed", "dead")
            assert size < LIMIT
        await shop.all_well(small, client)
        assert client._mailbox.waiting == {}

    async def test_a_state_of_several_megabytes_is_kept(self, world: World) -> None:
        app, calls = App(world.name), list[str]()

        @app.operation
        async def large(_: Json, ctx: Context) -> str:
            calls.append(ctx.step)
            return ctx.step * 200_000

        names = ["aaaa", "bbbb", "cccc", "dddd"]
        saga = app.saga("big", *(step(large, name=name) for name in names))
        client = await world.client(app)
        pod = await world.pod(app)
        handle = await client.start(saga, {}, key="k")
        await handle.result(PATIENCE)
        await pod.stop()
        again = await world.pod(app)
        repeat = await client.start(saga, {}, key="k")
        assert (await repeat.outcome(PATIENCE)).status == "completed"
        assert calls == names
        assert all(owner.start > 0 for owner in again.owners.values())

    async def test_an_outcome_too_large_for_a_reply_is_told_without_its_value(
        self, world: World, shop: Shop
    ) -> None:
        @shop.app.operation
        async def large() -> str:
            return "x" * 600_000

        client = await world.client(shop.app)
        saga = shop.app.saga("twice", step(large), step(large, name="again"))
        outcome = await (await client.start(saga)).outcome(PATIENCE)
        assert (outcome.status, outcome.value) == ("completed", None)
        assert outcome.error is not None
        assert "too large for a reply" in outcome.error.message

    @pytest.mark.parametrize(
        "text", ["\udcff", "x" * 2_000_000, "\x00", ""], ids=lambda t: repr(t[:9])
    )
    async def test_whatever_an_error_says_it_is_a_fact(
        self, world: World, shop: Shop, text: str
    ) -> None:
        @shop.app.operation
        async def fail() -> None:
            raise Terminal(text)

        client = await world.client(shop.app)
        handle = await client.submit(fail)
        with pytest.raises(Parked):
            await handle.result(PATIENCE)
        await shop.all_well(world, client)
        letters = await self._letters(world, handle.id)
        assert [(letter.step, letter.error.kind) for letter in letters] == [("fail", "terminal")]

    async def test_a_handler_that_hangs_is_cut_and_holds_nobody_up(
        self, world: World, shop: Shop
    ) -> None:
        @shop.app.operation(timeout=0.2, retry=Retry(max_attempts=1))
        async def hang(_: Json) -> None:
            await asyncio.Event().wait()

        saga = shop.app.saga("slow", step(shop.reserve), step(hang))
        client = await world.client(shop.app)
        hanging = [await client.start(saga, {}) for _ in range(4)]
        await shop.all_well(world, client)
        for handle in hanging:
            with pytest.raises(TurnedBack, match="Timeout: took longer than 200 ms"):
                await handle.result(PATIENCE)
            assert shop.called(handle.id) == ["reserve", "-reserve"]

    async def test_an_operation_that_this_pod_lacks_waits_for_one_that_has_it(
        self, world: World
    ) -> None:
        old, new = App(world.name), App(world.name)

        @new.operation
        async def novel() -> str:
            return "done"

        started = f.Started(
            run="r",
            definition=new.alone("novel"),
            input=None,
            fingerprint="f",
            lane="normal",
            lane_offset=0,
            retention=60_000,
        )
        pod = await world.pod(old)
        first = codec.encode(started, id="x", source="test", subject="x", now=1)
        await world.put("events", b"x", first)
        failed = await eventually(lambda: self._failures(world, "x"))
        assert (failed[0].error.kind, failed[0].counted) == ("unavailable", False)
        assert "no operation 'novel'" in failed[0].error.message
        await pod.stop()
        await world.pod(new)
        await eventually(lambda: self._has(world, "x", "Completed"))

    async def _letters(self, world: World, instance: str) -> list[Any]:
        return [letter.data for letter in await world.messages("deadletters", instance)]

    async def _failures(self, world: World, instance: str) -> list[f.StepFailed]:
        return [x for x in await world.facts(instance) if isinstance(x, f.StepFailed)]

    async def _has(self, world: World, instance: str, kind: str, times: int = 1) -> bool:
        return (await world.kinds(instance)).count(kind) >= times
