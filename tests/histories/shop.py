"""The apps of the histories, and what the calls of their handlers bring."""

import asyncio
from collections import defaultdict, deque
from typing import Any, NamedTuple

from sagalog.engine import App, Breaker, Context, Limit, Operation, Retry, step
from tests.histories.tape import Tape

QUICK = Retry(max_attempts=3, first=0.5, factor=2, longest=4, jitter=0.2, give_up_after=6)


class Slow(NamedTuple):
    """A call that takes its time (s), says so many times how far it is, and brings something."""

    seconds: float
    brings: Any
    reports: int = 0


class Script:
    """What the next calls of each operation bring; without a word, the operation's name.

    An exception is raised, `Slow` waits, everything else is returned.
    """

    def __init__(self, tape: Tape) -> None:
        self.running: list[str] = []
        self._tape = tape
        self._brings: defaultdict[str, deque[Any]] = defaultdict(deque)

    def on(self, operation: str, *brings: Any) -> None:
        """The next calls of this operation bring this."""
        self._brings[operation].extend(brings)

    async def play(self, operation: str, ctx: Context) -> Any:
        """One call."""
        self._tape.call(operation, ctx.idempotency_key, ctx.attempt)
        brings = self._brings[operation].popleft() if self._brings[operation] else operation
        if isinstance(brings, Slow):
            self.running.append(operation)
            for report in range(brings.reports):
                ctx.progress(report / brings.reports, f"report {report}")
                await asyncio.sleep(brings.seconds / brings.reports)
            if not brings.reports:
                await asyncio.sleep(brings.seconds)
            brings = brings.brings
        if isinstance(brings, BaseException):
            raise brings
        return brings


def _declare(app: App, script: Script, *names: str, **options: Any) -> list[Operation[..., Any]]:
    declare = app.operation
    return [declare(retry=QUICK, **options)(_handler(script, name)) for name in names]


def _handler(script: Script, name: str) -> Any:
    async def scripted(given: Any, ctx: Context) -> Any:
        return await script.play(name, ctx)

    scripted.__name__ = name
    return scripted


def orders(script: Script) -> App:
    """`order` is a chain, `wide` a graph, `careful` parks, `brief` must end within 9 s.

    `remote`, `billed`, `apart` and `leaving` have a step in another app, `spread` one in a
    partition of its own; `passing` and `leaving` are forgotten after 5 s. `wire` has a breaker,
    `weigh` a limit.
    """
    app = App("orders")
    release, refund, recall = _declare(app, script, "release", "refund", "recall")
    (reserve,) = _declare(app, script, "reserve", undo=release)
    (charge,) = _declare(app, script, "charge", undo=refund, timeout=10)
    (ship,) = _declare(app, script, "ship", undo=recall)
    (audit,) = _declare(app, script, "audit", undo=recall, exhausted="park")
    (note,) = _declare(app, script, "note")
    _declare(app, script, "weigh", limit=Limit(concurrency=1, lease=4))
    _declare(app, script, "wire", breaker=Breaker(failures=2, probe_after=2))
    chain = step(reserve), step(charge), step(ship)
    app.saga("order", *chain)
    app.saga(
        "wide",
        step(reserve),
        step(charge, after=()),
        step(note, after=[reserve, charge], input={"told": ["both", None]}),
        step(ship, after=[reserve, charge], timeout=20),
    )
    app.saga("careful", step(reserve), step(audit), step(ship))
    app.saga("brief", step(reserve), step(charge), deadline=9)
    app.saga("remote", step(reserve), step("payments/charge", timeout=30), step(ship))
    app.saga("billed", step("payments/bill"), step(ship))
    app.saga("apart", step("payments/charge"), step(ship, after=()))
    app.saga("spread", step(reserve), step(charge, spread=True), step(ship))
    app.saga("passing", step(reserve), retention=5)
    app.saga("leaving", step("payments/charge"), retention=5)
    return app


def payments(script: Script) -> App:
    """`charge` runs as an operation, `bill` as a saga with two branches."""
    app = App("payments")
    refund, shred = _declare(app, script, "refund", "shred")
    (charge,) = _declare(app, script, "charge", undo=refund)
    (invoice,) = _declare(app, script, "invoice", undo=shred)
    app.saga("bill", step(charge, after=()), step(invoice, after=()))
    return app


APPS = {"orders": orders, "payments": payments}
