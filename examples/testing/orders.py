"""An app to be tested: an order is reserved, charged and shipped by another team.

Its handlers reach the world through `bank` and `shelves`; test_orders.py puts others there.
"""

from typing import Protocol

from pydantic import BaseModel

from sagalog.engine import App, Context, Retry, Terminal, step


class Order(BaseModel):
    """What a customer wants."""

    item: str
    cents: int
    address: str = "Oslo"


class Bank(Protocol):
    """What the app needs of a bank. A payment asked for twice under one key is made once."""

    def pay(self, key: str, cents: int) -> str:
        """Take the money; the receipt. Raises ValueError where the card is declined."""
        ...

    def pay_back(self, key: str) -> None:
        """Give the money of that key back, if it was ever taken."""
        ...


class Shelves:
    """Where the goods are."""

    def __init__(self, **stock: int) -> None:
        self.stock = stock
        self._taken: dict[str, str] = {}

    def take(self, key: str, item: str) -> None:
        """Take one off its shelf, once for each key."""
        if key not in self._taken:
            self._taken[key] = item
            self.stock[item] -= 1

    def put_back(self, key: str) -> None:
        """Put back what was taken under that key, if anything was."""
        if item := self._taken.pop(key, None):
            self.stock[item] += 1


bank: Bank
shelves: Shelves

app = App("orders")


def of_step(ctx: Context) -> str:
    """The same name for a step of this order and for its undo."""
    return f"{ctx.instance}/{ctx.step}"


@app.operation
def put_back(order: Order, ctx: Context) -> None:
    """Undo `reserve`."""
    shelves.put_back(of_step(ctx))


@app.operation(undo=put_back)
def reserve(order: Order, ctx: Context) -> None:
    """Take the item off its shelf."""
    shelves.take(of_step(ctx), order.item)


@app.operation
async def refund(order: Order, ctx: Context) -> None:
    """Undo `charge`, which may never have happened."""
    bank.pay_back(of_step(ctx))


@app.operation(undo=refund, timeout=10, retry=Retry(max_attempts=5, first=1))
async def charge(order: Order, ctx: Context) -> str:
    """Take the money. Of a declined card there is no second try."""
    try:
        return bank.pay(of_step(ctx), order.cents)
    except ValueError as error:
        raise Terminal(str(error)) from error


place_order = app.saga(
    "place-order",
    step(reserve),
    step(charge),
    step("shipping/ship"),
    deadline=30 * 86_400,
)
