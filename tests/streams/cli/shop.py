"""The app that the command line's tests run: what goes wrong stands in the order."""

import asyncio
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from sagalog.engine import App, Context, Limit, Retry, Terminal, step

QUICK = Retry(max_attempts=2, first=0.01)


class Order(BaseModel):
    """`mode` says what goes wrong; `gate` names a file without which it does."""

    sku: str
    mode: str = ""
    gate: str = ""

    def shut(self, mode: str) -> bool:
        return self.mode == mode and not (self.gate and Path(self.gate).exists())


app = App("shop")


@app.operation(retry=QUICK)
async def put_back(order: Order, ctx: Context) -> None:
    if order.shut("stuck"):
        raise Terminal("the shelf is locked")


@app.operation(undo=put_back)
async def reserve(order: Order, ctx: Context) -> dict[str, Any]:
    return {"shelf": "A3"}


@app.operation
async def refund(order: Order, ctx: Context) -> None: ...


@app.operation(undo=refund, retry=QUICK)
async def charge(order: Order, ctx: Context) -> dict[str, Any]:
    if order.mode == "flaky" and ctx.attempt == 1:
        raise ValueError("the card machine was asleep")
    if order.mode == "later" and ctx.attempt == 1:
        raise ValueError("the bank is closed")
    if order.mode in ("declined", "stuck"):
        raise Terminal("card declined")
    while order.shut("slow"):  # noqa: ASYNC110 (another process makes the file)
        await asyncio.sleep(0.01)
    return {"receipt": "r-1"}


@app.operation(retry=Retry(max_attempts=1), exhausted="park")
async def ship(order: Order, ctx: Context) -> str:
    if order.shut("park"):
        raise ValueError("no parcel service today")
    return "parcel"


@app.operation(retry=Retry(first=3600))
async def once_an_hour(order: Order, ctx: Context) -> None:
    raise ValueError("not yet")


@app.operation(limit=Limit(by="tenant"))
async def weigh(n: int) -> int:
    return n


@app.operation
async def pay(order: Order) -> str:
    if order.mode == "declined":
        raise Terminal("no money", user_message="Your card was declined.")
    return f"paid for {order.sku}"


@app.operation(retry=Retry(first=3600))
async def save(order: Order) -> str:
    if order.shut("away"):
        raise ConnectionRefusedError("the database is away")
    if order.shut("broken"):
        raise ValueError("no such table")
    return f"saved {order.sku}"


@app.operation(retry=QUICK)
def double(n: int) -> int:
    if n < 0:
        raise ValueError(f"{n} is negative [today]")
    return n * 2


@app.operation
async def count(order: Order, ctx: Context) -> int:
    ctx.progress(0.4, "half of [the] rows")
    while order.shut("slow"):  # noqa: ASYNC110 (another process makes the file)
        await asyncio.sleep(0.01)
    return 1


app.saga("place-order", step(reserve), step(charge), step(ship))
app.saga("hourly", step(reserve), step(once_an_hour))
app.saga("spread", step(reserve, spread=True), step(charge))

no_app = 3
