"""A client in a process of its own that starts orders all the time: python -m tests.chaos.caller.

What it was acknowledged stands in a file written after the acknowledgement, so that it is known
however it ends. The next one follows up what its predecessor was acknowledged and not told.
It says `ready` once it starts orders. At a line `rest` on stdin it starts no more, waits for all
that was acknowledged, says `told` and ends.
"""

import argparse
import asyncio
import random
import sys
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from sagalog.streams.client import Client
from sagalog.streams.errors import LogUnavailable
from sagalog.streams.handle import Handle
from sagalog.streams.outcomes import Conflict, NotFound, Outcome, Refused
from tests.chaos.lines import Book, heard, now, read
from tests.chaos.orders import Order, order
from tests.chaos.plan import RETENTION
from tests.recovery.worker import make_log

MOST_OPEN = 150
"""Orders that may be under way at one time; 10 s of what is asked for, as when a broker is away."""


class Caller:
    """Starts orders, and follows each to its end."""

    def __init__(self, client: Client, file: Path, seed: int, retention: float) -> None:
        self._client, self._seed = client, seed
        self._retention = int(retention * 1000)
        self._book, self._tasks = Book(file), set[asyncio.Task[None]]()
        self._next = self._resting = 0
        self._left: dict[int, tuple[str, int]] = {}
        for line in read(file):
            self._recall(line)

    def _recall(self, line: dict[str, Any]) -> None:
        match line["what"]:
            case "asked":
                self._next = max(self._next, line["number"] + 1)
            case "acknowledged":
                self._left[line["number"]] = line["id"], line["at"]
            case "told":
                self._left.pop(line["number"], None)

    async def call(self, rate: float, rest: asyncio.Event) -> None:
        """Start `rate` orders a second until it is time to rest; then wait for all ends.

        Fewer where the machine cannot do so many: a queue that grows would outlast any retention.
        """
        for number, (instance, since) in self._left.items():
            self._spawn(self._follow_up(order(self._seed, number), instance, since))
        while not rest.is_set():
            if len(self._tasks) < MOST_OPEN:
                self._spawn(self._order(order(self._seed, self._next)))
                self._next += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(rest.wait(), random.expovariate(rate))
        self._resting = now()
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._book.note("failed", error=repr(error))

    async def _order(self, order: Order) -> None:
        self._book.note("asked", number=order.number)
        handle = await self._start(order, order.input)
        self._book.note(
            "acknowledged", number=order.number, id=handle.id, end=order.end, key=order.key
        )
        if order.again:
            self._spawn(self._again(order))
        if order.cancel is not None:
            await asyncio.sleep(order.cancel)
            await handle.cancel()
        await self._follow(order, handle, now())

    async def _start(self, order: Order, payload: Any) -> Handle[Any]:
        start = self._client.submit if order.saga == "reserve" else self._client.start
        return await start(order.saga, payload, key=order.key, priority=order.priority)

    async def _again(self, order: Order) -> None:
        """Start under the same key once more: the same is told, or that it is a conflict."""
        same = order.again == "same"
        payload = order.input if same else order.input | {"kind": "other"}
        handle = await self._start(order, payload)
        self._book.note("again", number=order.number, id=handle.id)
        try:
            self._tell(order, "told again", await handle.outcome())
        except (Conflict, Refused, NotFound) as error:
            self._book.note("refused again", number=order.number, kind=type(error).__name__)

    async def _follow_up(self, order: Order, instance: str, since: int) -> None:
        """Ask for one that a predecessor started; its request may not be taken in yet."""
        while True:
            await self._follow(order, await self._client.get(instance), since)
            if order.number not in self._left:
                return
            await asyncio.sleep(0.5)

    async def _follow(self, order: Order, handle: Handle[Any], since: int) -> None:
        """Wait for the end; where a person is waited for, be the person."""
        try:
            outcome = await handle.outcome()
            while outcome.status == "stuck":
                self._book.note("stuck", number=order.number, remaining=outcome.remaining)
                # Where all stood still for a retention, it may be a step elsewhere, now forgotten.
                await self._client.release(handle.id, outcome.remaining[0], "skip", by="caller")
                await asyncio.sleep(0.2)
                outcome = await (await self._client.get(handle.id)).outcome()
        except (Conflict, Refused, NotFound) as error:
            if isinstance(error, NotFound) and not self._may_be_forgotten(since):
                return
            self._book.note("told", number=order.number, id=handle.id, kind=type(error).__name__)
        else:
            self._tell(order, "told", outcome)
        self._left.pop(order.number, None)

    def _may_be_forgotten(self, since: int) -> bool:
        """Not before its retention; nor while its request may still wait in its lane."""
        quiet = self._resting > 0 and now() > self._resting + self._retention // 2
        return quiet and now() > since + self._retention

    def _tell(self, order: Order, what: str, outcome: Outcome) -> None:
        self._book.note(
            what,
            number=order.number,
            id=outcome.instance,
            kind="outcome",
            status=outcome.status,
            value=outcome.value,
        )


async def work(options: argparse.Namespace) -> None:
    """Work until there is nothing left to be told."""
    log = make_log(options.url, "caller", 10.0)
    client = Client(log, options.app)
    while True:
        try:
            await log.open()
            await client.open()
            break
        except LogUnavailable as error:
            print("not yet:", error, file=sys.stderr)
    rest = asyncio.Event()
    calling = asyncio.create_task(
        Caller(client, options.file, options.seed, options.retention).call(options.rate, rest)
    )
    hearing = asyncio.create_task(_hear(rest))
    print("ready", flush=True)
    await asyncio.wait([calling, hearing], return_when=asyncio.FIRST_COMPLETED)
    if calling.done():
        calling.result()
        print("told", flush=True)


async def _hear(rest: asyncio.Event) -> None:
    """Until the end of stdin: this process does not outlive who started it."""
    async for line in heard():
        if line == "rest":
            rest.set()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("app")
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--retention", type=float, default=RETENTION)
    parser.add_argument("--rate", type=float, default=10.0)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(work(parser.parse_args()))
