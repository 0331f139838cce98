"""Two apps on one log: a saga of `orders` has a step that `shipping` runs.

python examples/two_apps.py

Here one process runs the handlers of both. As two services they would be `sagalog run` twice,
and neither would change: they share the log, and no code.
"""

import asyncio

from sagalog.engine import App, Context, Terminal, step
from sagalog.streams import TurnedBack, connect

shipping = App("shipping")


@shipping.operation
async def ship(order: dict[str, str]) -> str:
    """What another team runs, with its own retries."""
    if order["to"] == "the Moon":
        raise Terminal("no carrier delivers to the Moon")
    return f"parcel to {order['to']}"


orders = App("orders")


@orders.operation
async def refund(order: dict[str, str]) -> None:
    """Undo `charge`."""
    print(f"refunded the {order['item']}")


@orders.operation(undo=refund)
async def charge(order: dict[str, str], ctx: Context) -> str:
    """Take the money, under the key that makes a repeat harmless."""
    print(f"charged for the {order['item']}")
    return ctx.idempotency_key


place_order = orders.saga("place-order", step(charge), step("shipping/ship"))


async def main() -> None:
    """Place an order that arrives, and one that cannot."""
    async with connect(shipping), connect(orders) as client:
        for destination in ("Oslo", "the Moon"):
            order = await client.start(place_order, {"item": "lamp", "to": destination})
            try:
                print((await order.result()).results["ship"])
            except TurnedBack as error:
                print(error)


asyncio.run(main())
