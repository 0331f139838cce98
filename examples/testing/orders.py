"""An app to be tested: an order is reserved, charged, and shipped by another team.

test_orders.py beside it has the tests.
"""

from pydantic import BaseModel

from sagalog.engine import App, Context, Retry, Terminal, step

app = App("orders")


class Order(BaseModel):
    """What a customer wants."""

    item: str
    cents: int


class Bank:
    """Stands for the bank. A payment that is asked for twice under one key is made once."""

    def __init__(self) -> None:
        self.paid: dict[str, int] = {}

    async def pay(self, key: str, cents: int) -> str:
        """Take the money; the receipt. Raises ValueError where the card is declined."""
        if cents > 100_000:
            raise ValueError("card declined")
        self.paid[key] = cents
        return f"receipt for {cents}"

    async def pay_back(self, key: str) -> None:
        """Give back what was paid under that key, if anything was."""
        self.paid.pop(key, None)


class Shelves:
    """Stands for the warehouse."""

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
        item = self._taken.pop(key, None)
        if item is not None:
            self.stock[item] += 1


bank = Bank()
shelves = Shelves(lamp=20)


def effect(ctx: Context) -> str:
    """The name of a step's effect: the same for the step and for its undo."""
    return f"{ctx.instance}/{ctx.step}"


@app.operation
def put_back(ctx: Context) -> None:
    """Undo `reserve`."""
    shelves.put_back(effect(ctx))


@app.operation(undo=put_back)
def reserve(order: Order, ctx: Context) -> None:
    """Take the item off its shelf."""
    shelves.take(effect(ctx), order.item)


@app.operation
async def refund(ctx: Context) -> None:
    """Undo `charge`, which may never have happened."""
    await bank.pay_back(effect(ctx))


@app.operation(undo=refund, timeout=10, retry=Retry(max_attempts=5, first=1))
async def charge(order: Order, ctx: Context) -> str:
    """Take the money. For a declined card there is no second try."""
    try:
        return await bank.pay(effect(ctx), order.cents)
    except ValueError as error:
        raise Terminal(str(error)) from error


place_order = app.saga(
    "place-order",
    step(reserve),
    step(charge),
    step("shipping/ship"),
    deadline=30 * 86_400,
)
