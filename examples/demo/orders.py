"""The orders: most go well, some meet a bank that hangs up, some cannot be delivered."""

from typing import Literal

from pydantic import BaseModel

ITEMS = {"kettle": 39_90, "lamp": 59_00, "chair": 129_50, "desk": 349_00}
"""What is sold, and its price in cents."""


class Order(BaseModel):
    """One order. `price` in cents."""

    number: int
    item: str
    price: int
    destination: Literal["Oslo", "the Moon"]
    bank: Literal["steady", "flaky"]


def some_orders(count: int) -> list[Order]:
    """As many orders, the same every time: 8 % for the Moon, 5 % paid by a flaky bank."""
    return [_order(number) for number in range(1, count + 1)]


def _order(number: int) -> Order:
    item = list(ITEMS)[number % len(ITEMS)]
    return Order(
        number=number,
        item=item,
        price=ITEMS[item],
        destination="the Moon" if number % 25 in (7, 19) else "Oslo",
        bank="flaky" if number % 20 == 3 else "steady",
    )
