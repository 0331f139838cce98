"""The app of the workers that are killed: its input says what goes wrong."""

import asyncio
import os
import time
from typing import Any

from sagalog.engine import App, Context, Operation, Retry, Terminal, step
from tests.recovery.journal import Journal

KINDS = ("fine", "fine", "fine", "fails", "flaky", "slow", "late", "careless")
"""fails: the last step, for good. flaky: each step twice. slow: each times out once. late: the
last step always times out, after its effect. careless: as fails, and each undo fails twice."""

ABROAD = (*KINDS, "returned")
"""returned: the last step fails for good, behind one that completed in the other app."""

QUICK = Retry(max_attempts=3, first=0.01, factor=1, jitter=0)
TIMEOUT = 0.25
STEPS = ("reserve", "charge", "ship")


def make(name: str, journal: Journal, *, pace: float = 0.005) -> App:
    """The app; each handler takes about `pace` seconds between its two lines."""
    app = App(name)
    done = [_step(app, journal, step_name, pace) for step_name in STEPS]
    app.saga("order", *(step(operation) for operation in done))
    app.saga("spread", step(done[0], spread=True), step(done[1]), step(done[2], spread=True))
    app.saga("abroad", step(done[0]), step(f"{name}-there/ship"), step(done[1]))
    return app


def there(name: str, journal: Journal, *, pace: float = 0.005) -> App:
    """The other app, for the steps that run in another process."""
    app = App(f"{name}-there")
    _step(app, journal, "ship", pace)
    return app


def _step(app: App, journal: Journal, name: str, pace: float) -> Operation[..., Any]:
    async def undo(order: dict[str, Any], ctx: Context) -> None:
        _note(journal, "begin", f"undo-{name}", ctx)
        await asyncio.sleep(pace)
        if order["kind"] == "careless" and ctx.attempt < 3:
            raise ValueError("stumbles")
        _note(journal, "effect", f"undo-{name}", ctx)

    async def forward(order: dict[str, Any], ctx: Context) -> dict[str, Any]:
        kind, last = order["kind"], name == "ship"
        _note(journal, "begin", name, ctx)
        await asyncio.sleep(pace)
        if kind == "flaky" and ctx.attempt < 3:
            raise ValueError("stumbles")
        if kind == "slow" and ctx.attempt == 1:
            await asyncio.sleep(30)
        if kind == "returned" and "ship" in ctx.results:
            raise Terminal("too late")
        if kind in ("fails", "careless") and last:
            raise Terminal("for good")
        _note(journal, "effect", name, ctx)
        if kind == "late" and last:
            await asyncio.sleep(30)
        return {"pid": os.getpid(), "at": time.time_ns(), "of": order["number"]}

    taken_back = app.operation(name=f"undo-{name}", retry=QUICK)(undo)
    return app.operation(name=name, retry=QUICK, timeout=TIMEOUT, undo=taken_back)(forward)


def _note(journal: Journal, what: Any, operation: str, ctx: Context) -> None:
    journal.write(
        what, operation, ctx.instance, ctx.step, ctx.phase, ctx.attempt, ctx.idempotency_key
    )
