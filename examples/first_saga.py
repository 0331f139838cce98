"""A first saga: what was reserved is put back when the charge fails for good.

python examples/first_saga.py
"""

import asyncio

from sagalog.engine import App, Terminal, step
from sagalog.streams import connect

app = App("orders")


@app.operation
async def put_back(item: str) -> None:
    """Undo `reserve`."""
    print(f"{item}: back on its shelf")


@app.operation(undo=put_back)
async def reserve(item: str) -> str:
    """Take the item off its shelf."""
    return f"{item} from shelf 7"


@app.operation
async def charge(item: str) -> str:
    """Take the money. Terminal is final: it is not tried again."""
    if item == "yacht":
        raise Terminal("the card is declined")
    return f"receipt for a {item}"


place_order = app.saga("place-order", step(reserve), step(charge))


async def main() -> None:
    """Place two orders."""
    async with connect(app) as client:
        for item in ("lamp", "yacht"):
            order = await client.start(place_order, item)
            outcome = await order.outcome()
            print(f"{item}: {outcome.status}", outcome.results)


asyncio.run(main())
