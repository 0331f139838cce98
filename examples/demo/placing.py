"""Places the orders: a process that knows the saga by its name and runs no handler itself."""

import asyncio
from collections.abc import Callable, Iterator

from examples.demo.notes import Notes
from examples.demo.orders import Order
from sagalog.streams import Client, Outcome

IN_FLIGHT = 64
"""How many orders wait for their end at once."""


async def place(
    client: Client, orders: list[Order], notes: Notes, answered: Callable[[Outcome], None]
) -> None:
    """Place all orders and wait for the end of each."""
    waiting = iter(orders)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(IN_FLIGHT):
            tasks.create_task(_place_some(client, waiting, notes, answered))


async def _place_some(
    client: Client, waiting: Iterator[Order], notes: Notes, answered: Callable[[Outcome], None]
) -> None:
    for order in waiting:
        notes.add("asked", order=order.number)
        handle = await client.start("place-order", order, key=f"order-{order.number}")
        notes.add("acknowledged", order=order.number, instance=handle.id)
        outcome = await handle.outcome()
        notes.add("answered", order=order.number, instance=handle.id, status=outcome.status)
        answered(outcome)
