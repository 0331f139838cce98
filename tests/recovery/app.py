"""The app of the workers that are killed: its input says what goes wrong."""

import asyncio
import os
import time
from typing import Any, NamedTuple

from sagalog.engine import App, Context, Limit, Operation, Retry, Terminal, step
from tests.recovery.journal import Journal

KINDS = ("fine", "fine", "fine", "fails", "flaky", "slow", "late", "careless")
"""fails: the last step, for good. flaky: each step twice. slow: each times out once. late: the
last step always times out, after its effect. careless: as fails, and each undo fails twice."""

ABROAD = (*KINDS, "returned")
"""returned: the last step fails for good, behind one that completed in the other app."""

HELPLESS = "helpless"
"""As fails, and the first undo fails for good, so that a person is waited for."""

STEPS = ("reserve", "charge", "ship")


class Manner(NamedTuple):
    """How the handlers work. Durations in seconds; `pace` is about what a call takes."""

    pace: float = 0.005
    timeout: float = 0.25
    attempts: int = 3
    retention: float = 86_400.0

    def retry(self) -> Retry:
        """How often a call is tried."""
        return Retry(max_attempts=self.attempts, first=0.01, factor=1, jitter=0)


USUAL = Manner()


def make(name: str, journal: Journal, manner: Manner = USUAL) -> App:
    """The app."""
    app = App(name, retention=manner.retention)
    done = [_step(app, journal, step_name, manner) for step_name in STEPS]
    app.saga("order", *(step(operation) for operation in done))
    app.saga("spread", step(done[0], spread=True), step(done[1]), step(done[2], spread=True))
    _copy(app, journal, manner)
    _narrow(app, journal, manner)
    app.saga("abroad", step(done[0]), step(f"{name}-there/ship"), step(done[1]))
    return app


def there(name: str, journal: Journal, manner: Manner = USUAL) -> App:
    """The other app, for the steps that run in another process."""
    app = App(f"{name}-there", retention=manner.retention)
    _step(app, journal, "ship", manner)
    return app


def _copy(app: App, journal: Journal, manner: Manner) -> None:
    async def copy(given: dict[str, Any], ctx: Context) -> dict[str, Any]:
        _note(journal, "begin", "copy", ctx)
        await asyncio.sleep(manner.pace)
        _note(journal, "effect", "copy", ctx)
        return given

    app.operation(retry=manner.retry())(copy)


NARROW = Limit(concurrency=3, lease=2.0)


def _narrow(app: App, journal: Journal, manner: Manner) -> None:
    async def narrow(given: int, ctx: Context) -> int:
        _note(journal, "begin", "narrow", ctx)
        await asyncio.sleep(manner.pace)
        _note(journal, "effect", "narrow", ctx)
        return given

    app.operation(limit=NARROW)(narrow)


def _step(app: App, journal: Journal, name: str, manner: Manner) -> Operation[..., Any]:
    async def undo(order: dict[str, Any], ctx: Context) -> None:
        _note(journal, "begin", f"undo-{name}", ctx)
        await asyncio.sleep(manner.pace)
        if order["kind"] == HELPLESS and name == "charge":
            raise Terminal("cannot be undone")
        if order["kind"] == "careless" and ctx.attempt < 3:
            raise ValueError("stumbles")
        _note(journal, "effect", f"undo-{name}", ctx)

    async def forward(order: dict[str, Any], ctx: Context) -> dict[str, Any]:
        kind, last = order["kind"], name == "ship"
        _note(journal, "begin", name, ctx)
        await asyncio.sleep(manner.pace)
        if kind == "flaky" and ctx.attempt < 3:
            raise ValueError("stumbles")
        if kind == "slow" and ctx.attempt == 1:
            await asyncio.sleep(30)
        if kind == "returned" and "ship" in ctx.results:
            raise Terminal("too late")
        if kind in ("fails", "careless", HELPLESS) and last:
            raise Terminal("for good")
        _note(journal, "effect", name, ctx)
        if kind == "late" and last:
            await asyncio.sleep(30)
        return {"pid": os.getpid(), "at": time.time_ns(), "of": order["number"]}

    retry = manner.retry()
    taken_back = app.operation(name=f"undo-{name}", retry=retry)(undo)
    return app.operation(name=name, retry=retry, timeout=manner.timeout, undo=taken_back)(forward)


def _note(journal: Journal, what: Any, operation: str, ctx: Context) -> None:
    journal.write(
        what, operation, ctx.instance, ctx.step, ctx.phase, ctx.attempt, ctx.idempotency_key
    )
