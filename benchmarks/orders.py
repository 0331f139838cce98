"""The work that is measured: the same as every peer does (three no-op steps, each with an undo).

BENCH_APP names the app and BENCH_CALLS the journal, for the process that runs the handlers.
"""

import os
from typing import Any

import orjson

from sagalog.engine import App, Retry, Terminal, step

Payload = dict[str, Any]

ORDER: Payload = {
    "customer": "customer-000042",
    "sku": "SKU-0123456789",
    "quantity": 3,
    "amount": "199.90",
    "currency": "EUR",
    "address": "1 Example Street, 12345 Example",
}


def payload(id: str, **more: Any) -> Payload:
    """An order of 200 bytes as JSON."""
    made = {"id": id, **ORDER, **more, "pad": ""}
    made["pad"] = "x" * max(0, 200 - len(orjson.dumps(made)))
    return made


class Journal:
    """Which handlers were called with which orders, for orders that ask for it (`log`)."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def note(self, handler: str, order: Payload) -> None:
        """Add a line, in one piece."""
        if "log" in order:
            os.write(self._file, f"{handler} {order['id']}\n".encode())


journal = Journal(os.environ.get("BENCH_CALLS", os.devnull))


def _done(step: str, order: Payload) -> Payload:
    journal.note(step, order)
    return {"ok": True, "id": f"{step}-{order['id']}"}


async def reserve_inventory(order: Payload) -> Payload:
    """The first step."""
    return _done("reserve", order)


async def charge_payment(order: Payload) -> Payload:
    """The second step."""
    return _done("charge", order)


async def ship_order(order: Payload) -> Payload:
    """The third step, which fails for good where the order says so."""
    if "fail" in order:
        raise Terminal("no carrier")
    return _done("ship", order)


async def release_inventory(order: Payload) -> None:
    """Undoes the first step."""
    journal.note("release", order)


async def refund_payment(order: Payload) -> None:
    """Undoes the second step."""
    journal.note("refund", order)


async def cancel_shipment(order: Payload) -> None:
    """Undoes the third step."""
    journal.note("cancel", order)


async def check(order: Payload) -> Payload:
    """The operation of W6."""
    return _done("check", order)


async def wait_for_days(_: Payload) -> None:
    """Fails, so that the saga waits for its retry."""
    raise ConnectionResetError


def orders(name: str) -> App:
    """The app, under a name of its own."""
    app = App(name)
    release, refund, cancel = map(
        app.operation, (release_inventory, refund_payment, cancel_shipment)
    )
    reserve = app.operation(undo=release)(reserve_inventory)
    charge = app.operation(undo=refund)(charge_payment)
    ship = app.operation(undo=cancel)(ship_order)
    wait = app.operation(retry=Retry(first=86_400, longest=86_400))(wait_for_days)
    app.operation(check)
    app.saga("order", step(reserve), step(charge), step(ship))
    app.saga("retrying", step(reserve), step(wait), step(ship))
    app.saga("waiting", step(reserve), step(f"{name}-elsewhere/charge"), step(ship))
    return app


app = orders(os.environ.get("BENCH_APP", "bench"))
