"""The critical path on every log: work that runs in its caller, with a backup behind it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from sagalog.engine import App, Context, InvalidInput, Retry, Terminal
from sagalog.schemas.claims import Backup
from sagalog.schemas.codec import decode
from sagalog.schemas.envelope import Envelope
from sagalog.streams import Conflict, CriticalFailed
from sagalog.streams.backups import Kept
from sagalog.streams.client import Client
from tests.recovery.shop import Order, Receipt
from tests.recovery.world import PATIENCE, World, eventually


class Till:
    """An app that charges and saves, and what its handlers were called for."""

    def __init__(self, name: str) -> None:
        self.app = App(name)
        self.calls: list[Context] = []
        self.broken: Exception | None = None
        self.down = False
        self.let_go = asyncio.Event()
        self.began = asyncio.Event()
        retry = Retry(max_attempts=2, first=0.05, factor=1, jitter=0)

        @self.app.operation
        async def refund(order: Order, ctx: Context) -> None:
            self.calls.append(ctx)

        @self.app.operation(undo=refund, timeout=20)
        async def charge(order: Order, ctx: Context) -> Receipt:
            self.calls.append(ctx)
            self.began.set()
            if order.hang:
                await self.let_go.wait()
            if self.broken is not None:
                raise self.broken
            return Receipt(step="charge", item=order.item, key=ctx.idempotency_key)

        @self.app.operation(retry=retry)
        def save(order: Order, ctx: Context) -> str:
            self.calls.append(ctx)
            receipt = ctx.result(charge)
            assert receipt is not None
            if self.down:
                raise ConnectionRefusedError("the database is away")
            return f"saved {receipt.item}"

        @self.app.operation
        async def pack(order: Order, ctx: Context) -> str:
            self.calls.append(ctx)
            await self.let_go.wait()
            return "packed"

        self.charge, self.save, self.pack = charge, save, pack

    def called(self, step: str) -> int:
        """How often a step was called."""
        return sum(ctx.step == step for ctx in self.calls)


def charge_and_save(client: Client, till: Till, **options: Any) -> Awaitable[Any]:
    """The usual call."""
    return client.critical(till.charge, Order(), then=till.save, **options)


class CriticalCalls:
    """`world` is a fixture of whoever derives from this."""

    @pytest.fixture
    def till(self, world: World) -> Till:
        return Till(world.name)

    @pytest.fixture
    async def client(self, world: World, till: Till, tmp_path: Path) -> Client:
        return await world.client(till.app, spool=tmp_path / "spool")

    @pytest.fixture
    async def working(self, world: World, till: Till) -> None:
        await world.pod(till.app, recover_interval=0.1)

    async def _gone(self, client: Client) -> bool:
        return not await client.backups()

    async def _once(self, client: Client, standing: str) -> Kept:
        async def look() -> list[Kept]:
            return [kept for kept in await client.backups() if kept.standing == standing]

        return (await eventually(look))[0]

    # -- all is well

    async def test_both_run_in_the_caller_and_are_recorded_as_facts(
        self, world: World, till: Till, client: Client, working: None
    ) -> None:
        told = await charge_and_save(client, till, key="order-1", tags=["payment"])
        assert (told.result.item, told.emergency, told.spooled) == ("book", False, False)
        kinds = await world.kinds(told.instance)
        assert kinds == ["Started", "StepCompleted", "StepCompleted", "Completed"]
        assert [ctx.step for ctx in till.calls] == ["charge", "save"]
        assert till.calls[0].idempotency_key == f"{told.instance}::charge"
        outcome = await (await client.get(told.instance)).outcome(PATIENCE)
        assert outcome.results["save"] == "saved book"
        await eventually(lambda: self._gone(client))

    async def test_the_backup_is_durable_before_the_effect_and_then_has_its_result(
        self, world: World, till: Till, client: Client, working: None
    ) -> None:
        call = asyncio.ensure_future(
            client.critical(till.charge, Order(hang="x"), then=till.save, tags=["vip"], user="ann")
        )
        await till.began.wait()
        (intent,) = await self._written(world)
        assert (intent.tags, intent.user, intent.claim.done) == (("vip",), "ann", {})
        till.let_go.set()
        told = await call
        first, second = (await self._written(world))[:2]
        assert first.id == second.id == told.id
        assert list(second.claim.done) == ["charge"]

    async def _written(self, world: World) -> list[Backup]:
        messages = [decode(record.value) for record in await world.records("backups")]
        return [m.data for m in messages if isinstance(m, Envelope)]

    async def test_one_step_alone_needs_no_second(
        self, world: World, till: Till, client: Client, working: None
    ) -> None:
        told = await client.critical(till.charge, Order())
        assert await world.kinds(told.instance) == ["Started", "StepCompleted", "Completed"]

    async def test_a_repeat_gets_the_first_one_s_result_and_runs_nothing(
        self, till: Till, client: Client, working: None
    ) -> None:
        first = await charge_and_save(client, till, key="k")
        again = await charge_and_save(client, till, key="k")
        assert (again.result, again.emergency) == (first.result, False)
        assert till.called("charge") == 1
        with pytest.raises(Conflict):
            await client.critical(till.charge, Order(item="pen"), then=till.save, key="k")

    async def test_a_second_caller_with_the_key_joins_the_first(
        self, till: Till, client: Client, working: None
    ) -> None:
        order = Order(hang="x")
        first = asyncio.ensure_future(client.critical(till.charge, order, key="k"))
        await till.began.wait()
        second = asyncio.ensure_future(client.critical(till.charge, order, key="k"))
        till.let_go.set()
        assert (await first).result == (await second).result
        assert till.called("charge") == 1

    # -- the effect fails

    async def test_a_failed_effect_tells_the_end_user_and_leaves_nothing(
        self, world: World, till: Till, client: Client, working: None
    ) -> None:
        till.broken = Terminal("declined: 51", user_message="Your card was declined.")
        with pytest.raises(CriticalFailed, match="declined: 51") as caught:
            await charge_and_save(client, till, key="k")
        assert caught.value.user_message == "Your card was declined."
        await eventually(lambda: self._gone(client))
        with pytest.raises(CriticalFailed) as again:
            await charge_and_save(client, till, key="k")
        assert again.value.user_message == "Your card was declined."
        assert (till.called("charge"), till.called("refund"), till.called("save")) == (1, 0, 0)

    async def test_an_effect_cut_off_by_its_timeout_is_undone(
        self, till: Till, client: Client, working: None
    ) -> None:
        till.broken = TimeoutError("no answer")
        with pytest.raises(CriticalFailed):
            await charge_and_save(client, till)
        await eventually(lambda: self._is(lambda: till.calls[-1].phase == "undo"))

    async def _is(self, what: Callable[[], bool]) -> bool:
        return what()

    async def test_what_would_not_fit_its_backup_is_refused_before_it_begins(
        self, world: World, till: Till, client: Client
    ) -> None:
        with pytest.raises(InvalidInput, match="over the limit of 400000 on the critical path"):
            await client.critical(till.charge, Order(item="x" * 400_000))
        assert (till.calls, await world.records("backups")) == ([], [])

    # -- what follows fails

    async def test_what_follows_failed_so_it_is_an_emergency_that_the_pods_try_again(
        self, world: World, till: Till, client: Client, working: None
    ) -> None:
        till.down = True
        told = await charge_and_save(client, till, key="k")
        assert told.emergency
        assert told.result.item == "book"
        assert "database is away" in told.error.message
        kept = await self._once(client, "emergency")
        assert (kept.id, kept.error is not None) == (told.id, True)
        again = await charge_and_save(client, till, key="k")
        assert (again.emergency, again.result) == (True, told.result)
        till.down = False
        outcome = await (await client.get(told.instance)).outcome(PATIENCE)
        assert outcome.status == "completed"
        assert till.called("charge") == 1
        await eventually(lambda: self._gone(client))
        assert "ClaimReleased" in await world.kinds(told.instance)

    async def test_an_emergency_can_be_resolved_by_hand(
        self, till: Till, client: Client, working: None
    ) -> None:
        till.down = True
        told = await charge_and_save(client, till)
        assert await client.resolve_backup(told.id, "by hand", by="ann") == "resolved"
        outcome = await (await client.get(told.instance)).outcome(PATIENCE)
        assert outcome.results["save"] == "by hand"
        assert await client.backups() == []

    # -- the caller is gone, or slow

    async def test_where_the_lease_passes_the_pods_do_the_work(
        self, world: World, till: Till, client: Client, working: None
    ) -> None:
        """The first call never ends, as that of a frozen process; its key is the same."""
        order = Order(hang="x")
        call = asyncio.ensure_future(
            client.critical(till.charge, order, then=till.save, key="k", lease=0.3)
        )
        await eventually(lambda: self._is(lambda: till.called("charge") == 2))
        till.let_go.set()
        told = await call
        assert "ClaimExpired" in await world.kinds(told.instance)
        assert len({ctx.idempotency_key for ctx in till.calls if ctx.step == "charge"}) == 1
        await (await client.get(told.instance)).result(PATIENCE)

    async def test_what_a_slow_caller_has_done_is_recorded_and_nobody_goes_on_in_its_place(
        self, world: World, till: Till, client: Client, working: None
    ) -> None:
        call = asyncio.ensure_future(client.critical(till.charge, Order(), then=till.pack))
        instance = (await self._once(client, "untold")).backup.instance

        async def recorded() -> bool:
            return "StepCompleted" in await world.kinds(instance)

        await eventually(recorded)
        assert "ClaimReleased" not in await world.kinds(instance)
        till.let_go.set()
        told = await call
        assert not told.emergency
        await (await client.get(told.instance)).result(PATIENCE)
        assert till.called("pack") == 1

    async def test_a_held_claim_cannot_be_cancelled(
        self, world: World, till: Till, client: Client, working: None
    ) -> None:
        call = asyncio.ensure_future(client.critical(till.charge, Order(hang="x"), key="k"))
        await till.began.wait()
        (backup,) = await self._written(world)
        await client.cancel(backup.instance)
        till.let_go.set()
        assert (await call).result.item == "book"
        assert "CancelRequested" not in await world.kinds(backup.instance)

    async def test_without_a_pod_it_runs_ungranted_and_is_recorded_later(
        self, world: World, till: Till, client: Client
    ) -> None:
        client._path.patience = 0.2
        told = await charge_and_save(client, till, key="k")
        assert (told.emergency, told.spooled) == (False, False)
        assert (await self._once(client, "unrecorded")).id == told.id
        await world.pod(till.app, recover_interval=0.1)
        outcome = await (await client.get(told.instance)).outcome(PATIENCE)
        assert outcome.status == "completed"
        assert [ctx.step for ctx in till.calls] == ["charge", "save"]
        await eventually(lambda: self._gone(client))

    async def test_two_that_ran_ungranted_under_one_key_show_as_a_conflict(
        self, world: World, till: Till, client: Client
    ) -> None:
        client._path.patience = 0.2
        told = [await charge_and_save(client, till, key="k")]
        till.broken = None
        till.charge.handler = _other(till.charge.handler)
        told.append(await charge_and_save(client, till, key="k"))
        assert len(await client.backups()) == 2
        await world.pod(till.app, recover_interval=0.1)
        kept = await self._once(client, "conflict")
        assert kept.id == told[1].id
        assert await client.resolve_backup(kept.id) == "resolved"
        await eventually(lambda: self._gone(client))


def _other(handler: Any) -> Any:
    async def other(order: Order, ctx: Context) -> Receipt:
        receipt: Receipt = await handler(order, ctx)
        return receipt.model_copy(update={"step": "another receipt"})

    return other
