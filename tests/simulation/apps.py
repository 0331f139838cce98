"""The apps of all worlds: declared once, since what a handler does is drawn where it runs."""

from functools import cache
from typing import Any

from sagalog.engine import App, Context, Operation, Retry, step
from tests.simulation.stage import here

QUICK = Retry(max_attempts=3, first=0.2, longest=2, give_up_after=10)
FOREVER = 86_400.0


def declare(app: App, name: str, *, plain: bool = False, **options: Any) -> Operation[..., Any]:
    """Declare an operation whose calls end as the world draws it."""

    async def waiting(order: Any, ctx: Context) -> Any:
        return await here().perform(name, ctx)

    def at_once(order: Any, ctx: Context) -> Any:
        return here().perform_at_once(name, ctx)

    return app.operation(name=name, retry=QUICK, **options)(at_once if plain else waiting)


@cache
def orders(retention: float = FOREVER) -> App:
    """Chains, graphs, a saga that parks, one with a deadline, and ones that go elsewhere."""
    app = App("orders", retention=retention)
    release = declare(app, "release")
    refund = declare(app, "refund", timeout=3)
    recall = declare(app, "recall", plain=True)
    reserve = declare(app, "reserve", undo=release, timeout=2)
    charge = declare(app, "charge", undo=refund)
    ship = declare(app, "ship", undo=recall, plain=True)
    audit = declare(app, "audit", undo=recall, exhausted="park", timeout=5)
    note = declare(app, "note", timeout=4)
    app.saga("order", step(reserve), step(charge), step(ship))
    app.saga("wide", step(reserve), step(charge, after=()), step(ship, after=[reserve, charge]))
    app.saga("careful", step(reserve), step(audit))
    app.saga("brief", step(reserve), step(note), step(charge), deadline=4)
    app.saga("spread", step(reserve), step(charge, spread=True), step(ship))
    app.saga("remote", step(reserve), step("payments/charge", timeout=20), step(ship))
    app.saga("family", step(reserve), step("payments/bill"), step(note))
    app.saga("round", step(reserve), step("payments/relay"), step(charge))
    app.saga("astray", step(reserve), step("payments/nothing"), step(charge))
    return app


@cache
def payments(retention: float = FOREVER) -> App:
    """What the other team runs: an operation, a saga, and one that comes back to the first."""
    app = App("payments", retention=retention)
    refund = declare(app, "refund")
    shred = declare(app, "shred")
    charge = declare(app, "charge", undo=refund)
    invoice = declare(app, "invoice", undo=shred, timeout=3)
    app.saga("bill", step(charge, after=()), step(invoice, after=()))
    app.saga("relay", step(invoice), step("orders/charge"))
    return app


ALONE = ("order", "wide", "careful", "brief", "spread", "charge", "note")
"""What runs within `orders`."""

TOGETHER = ("remote", "family", "round", "astray")
"""What needs `payments`."""
