"""A saga that is data: its steps stand in saga_as_data.json, and only the operations are code.

python examples/saga_as_data.py
"""

import asyncio
from pathlib import Path

from pydantic import BaseModel, TypeAdapter

from sagalog.engine import App, Terminal
from sagalog.schemas.requests import StepData
from sagalog.streams import TurnedBack, connect

app = App("travel")


class Booking(BaseModel):
    """What is booked, and for how many."""

    what: str
    seats: int


@app.operation
async def book(booking: Booking) -> str:
    """Book. There is no boat to Hel."""
    if "Hel" in booking.what:
        raise Terminal(f"no {booking.what}")
    print(f"booked    {booking.what} for {booking.seats}")
    return f"{booking.what}, {booking.seats} seats"


@app.operation
async def cancel(booking: Booking) -> None:
    """Cancel, also what was never booked."""
    print(f"cancelled {booking.what}")


async def main() -> None:
    """Start the steps as they stand in the file."""
    file = Path(__file__).with_suffix(".json")
    steps = TypeAdapter(list[StepData]).validate_json(file.read_bytes())
    async with connect(app) as client:
        trip = await client.start("trip", steps=steps)
        try:
            print((await trip.result()).results)
        except TurnedBack as error:
            print(error)


asyncio.run(main())
