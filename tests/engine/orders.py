"""The app that these tests run: three steps with their undos, alone and in sagas."""

from typing import Any

from sagalog.engine import App, Operation, Retry, step

QUICK = Retry(max_attempts=3, first=1, factor=2, longest=10, jitter=0, give_up_after=60)


def handler(name: str) -> Any:
    """A handler of this name: what its calls bring stands in the world's script."""

    def scripted(order: Any) -> Any:
        raise AssertionError(f"{name} is called by the script, never itself")

    scripted.__name__ = name
    return scripted


def declare(app: App, *names: str, **options: Any) -> list[Operation[..., Any]]:
    """Declare scripted operations of these names."""
    return [app.operation(retry=QUICK, **options)(handler(name)) for name in names]


def orders(**options: Any) -> App:
    """`order` is a chain, `wide` a graph with two branches, `careful` parks, `brief` ends in 9 s.

    `remote` has its second step in another app, and `spread` in a partition of its own id.
    """
    app = App("orders", **options)
    release, refund, recall = declare(app, "release", "refund", "recall")
    (reserve,) = declare(app, "reserve", undo=release)
    (charge,) = declare(app, "charge", undo=refund)
    (ship,) = declare(app, "ship", undo=recall)
    (audit,) = declare(app, "audit", undo=recall, exhausted="park")
    declare(app, "note")
    app.saga("order", step(reserve), step(charge), step(ship))
    app.saga("wide", step(reserve), step(charge, after=()), step(ship, after=[reserve, charge]))
    app.saga("careful", step(reserve), step(audit))
    app.saga("brief", step(reserve), step(charge), deadline=9)
    app.saga("remote", step(reserve), step("payments/charge", timeout=30), step(ship))
    app.saga("spread", step(reserve), step(charge, spread=True), step(ship))
    return app


def payments(**options: Any) -> App:
    """The other app: `charge` runs there as an operation, `bill` as a saga with two branches."""
    app = App("payments", **options)
    refund, shred = declare(app, "refund", "shred")
    (charge,) = declare(app, "charge", undo=refund)
    (invoice,) = declare(app, "invoice", undo=shred)
    app.saga("bill", step(charge, after=()), step(invoice, after=()))
    return app
