"""The app of the scenarios: an order of three steps, whose input says what goes wrong."""

import asyncio
from collections import Counter
from typing import Any

from pydantic import BaseModel

from sagalog.engine import App, Context, Operation, Retry, Saga, Terminal, step
from sagalog.schemas.definition import PRIORITIES
from sagalog.schemas.partitioner import partition_of
from sagalog.streams.client import Client
from tests.recovery.world import PATIENCE, World

QUICK = Retry(max_attempts=3, first=0.02, factor=1, jitter=0)


class Order(BaseModel):
    """What is ordered.

    `fail` names the step that fails for good, `flaky` one that fails twice before, `hang` one
    that waits until the shop lets it go, `stick` the undo that fails for good.
    """

    item: str = "book"
    fail: str = ""
    flaky: str = ""
    hang: str = ""
    stick: str = ""


class Receipt(BaseModel):
    """What a step returns: who was called."""

    step: str
    item: str
    key: str


class Shop:
    """An app and what its handlers were called for, in this process."""

    def __init__(self, name: str, **options: Any) -> None:
        self.app = App(name, **options)
        self.calls: list[Context] = []
        self.let_go = asyncio.Event()
        self.began: asyncio.Queue[Context] = asyncio.Queue()
        release, refund, recall = (self._undo(name) for name in ("release", "refund", "recall"))
        self.reserve = self._step("reserve", release)
        self.charge = self._step("charge", refund)
        self.ship = self._step("ship", recall)
        self.order: Saga = self.app.saga(
            "order", step(self.reserve), step(self.charge), step(self.ship)
        )

    def _step(self, name: str, undo: Operation[..., Any]) -> Operation[..., Any]:
        async def handler(order: Order, ctx: Context) -> Receipt:
            self.calls.append(ctx)
            self.began.put_nowait(ctx)
            if order.hang == name:
                await self.let_go.wait()
            if order.fail == name:
                raise Terminal(f"no {name} today")
            if order.flaky == name and ctx.attempt < 3:
                raise ValueError(f"{name} stumbles")
            return Receipt(step=name, item=order.item, key=ctx.idempotency_key)

        return self.app.operation(name=name, undo=undo, retry=QUICK)(handler)

    def _undo(self, name: str) -> Operation[..., Any]:
        async def handler(order: Order, ctx: Context) -> None:
            self.calls.append(ctx)
            if order.stick == name:
                raise Terminal(f"no {name} today")

        return self.app.operation(name=name, retry=QUICK)(handler)

    def called(self, instance: str) -> list[str]:
        """The calls for one instance: the steps, those undone with a minus."""
        return [
            ("-" if ctx.phase == "undo" else "") + ctx.step
            for ctx in self.calls
            if ctx.instance == instance
        ]

    def twice(self) -> set[str]:
        """The idempotency keys that a handler was called with more than once."""
        counted = Counter(ctx.idempotency_key for ctx in self.calls)
        return {key for key, times in counted.items() if times > 1}

    async def all_well(self, world: World, client: Client) -> None:
        """Sagas of every partition, in every lane, still run to their ends."""
        numbers = set[int]()
        for n in range(8):
            handle = await client.start(
                self.order,
                Order(fail="ship" if n % 2 else ""),
                key=f"well-{n}",
                priority=PRIORITIES[n % 3],
            )
            outcome = await handle.outcome(PATIENCE)
            assert outcome.status == ("compensated" if n % 2 else "completed")
            numbers.add(partition_of(handle.id.encode(), world.partitions))
        assert numbers == set(range(world.partitions))

    async def begins(self, name: str) -> Context:
        """Wait until a handler of this step is called."""
        async with asyncio.timeout(PATIENCE):
            while (ctx := await self.began.get()).step != name:
                pass
            return ctx
