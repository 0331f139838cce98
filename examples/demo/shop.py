"""The app of the demo: a saga of three steps, whose handlers keep the books of a shop.

    sagalog run examples.demo.shop:app

runs its handlers; DEMO_FOLDER says where the books are, DEMO_APP what the app is called.
"""

import asyncio
import os
from pathlib import Path

from examples.demo.journal import Journal
from examples.demo.ledger import Ledger
from examples.demo.orders import Order
from sagalog.engine import App, Context, Retry, Terminal, step

app = App(os.environ.get("DEMO_APP", "demo"))
folder = Path(os.environ.get("DEMO_FOLDER", "."))
journal = Journal(folder / "journal.jsonl")
ledger = Ledger(folder / "shop.db")


@app.operation
async def put_back(_: Order, ctx: Context) -> None:
    """Undo `reserve`."""
    with journal.call("put_back", ctx):
        ledger.take_back(ctx, "put back", undone="reserved")


@app.operation
async def refund(_: Order, ctx: Context) -> None:
    """Undo `charge`."""
    with journal.call("refund", ctx):
        ledger.take_back(ctx, "refunded", undone="charged")


@app.operation(undo=put_back)
async def reserve(order: Order, ctx: Context) -> str:
    """Take the item off the shelf."""
    with journal.call("reserve", ctx):
        ledger.book(ctx, "reserved", 0)
        await _elsewhere(order)
        return f"shelf {order.number % 40}"


@app.operation(undo=refund, retry=Retry(max_attempts=5, first=0.05), timeout=10)
async def charge(order: Order, ctx: Context) -> str:
    """Take the money. A flaky bank hangs up on the first call."""
    with journal.call("charge", ctx):
        await _elsewhere(order)
        if order.bank == "flaky" and ctx.attempt == 1:
            raise ConnectionResetError("the bank hung up")
        ledger.book(ctx, "charged", order.price)
        return f"receipt {order.number}"


@app.operation
async def ship(order: Order, ctx: Context) -> str:
    """Send it off. Nobody delivers to the Moon: no retry can help, so the saga turns back."""
    with journal.call("ship", ctx):
        await _elsewhere(order)
        if order.destination == "the Moon":
            raise Terminal("no carrier delivers to the Moon")
        ledger.book(ctx, "shipped", 0)
        return f"{ctx.result(charge)}, to {order.destination}"


async def _elsewhere(order: Order) -> None:
    """The time that a bank or a carrier takes to answer: 4 to 12 ms."""
    await asyncio.sleep(0.004 + order.number % 9 / 1000)


place_order = app.saga("place-order", step(reserve), step(charge), step(ship))
