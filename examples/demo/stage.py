"""The demo itself: a worker, the orders, a kill in the middle, and the count."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from examples.demo.audit import Audit, audit
from examples.demo.bar import Bar
from examples.demo.notes import Notes
from examples.demo.orders import Order, some_orders
from examples.demo.placing import IN_FLIGHT, place
from examples.demo.worker import Worker
from sagalog.schemas.topics import Topics
from sagalog.streams import Client, connect
from sagalog.streams.opening import log_at

PARTITIONS = 4
PATIENCE = 120.0
"""Seconds after which the demo says that it hangs."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the demo: the app's name, the log's address, a folder, how many orders."""

    app: str
    url: str
    folder: Path
    orders: int


class Stage:
    """Where it is played: it says what happens, and why that matters."""

    def __init__(self, run: Run, console: Console) -> None:
        self._run, self._console = run, console
        self._notes = Notes(run.folder / "client.jsonl")
        self._worker = Worker(run.app, run.url, run.folder)

    async def play(self) -> Audit:
        """Do it all, and count what came of it."""
        run = self._run
        log = log_at(run.url)
        await log.open()
        await log.create(Topics(run.app).specs(PARTITIONS))
        with self._worker:
            self._start()
            async with connect(run.app, run.url, pod=False) as client:
                await asyncio.wait_for(self._place(client, some_orders(run.orders)), PATIENCE)
            self._stop()
        try:
            return await audit(log, run.app, run.folder)
        finally:
            await log.close()

    def say(self, number: str, *sentences: str) -> None:
        """Print a stage's number, and what happens there."""
        for sentence in sentences:
            self._console.print(f"[bold]{number:<3}[/]{sentence}", soft_wrap=True)
            number = ""

    def _start(self) -> None:
        pid = self._worker.start()
        self.say(
            "1",
            f"A worker starts, process {pid}: [cyan]sagalog run examples.demo.shop:app",
            "It runs the handlers. This process runs none: it asks, and waits for answers.",
        )

    async def _place(self, client: Client, orders: list[Order]) -> None:
        self.say(
            "2",
            f"{len(orders):,} orders are placed, {IN_FLIGHT} at a time. A request is in the log",
            "before it is acknowledged, and a step's result before the next step begins.",
        )
        bar = Bar(self._console, len(orders), self._kill)
        with bar.progress:
            placing = asyncio.create_task(place(client, orders, self._notes, bar.answered))
            while not placing.done():
                if self._worker.died():
                    sys.exit(f"The worker has ended by itself:\n{self._worker.said()}")
                await asyncio.wait([placing], timeout=0.2)
            await placing

    def _kill(self) -> None:
        pid = self._worker.pid
        self._worker.kill()
        self._notes.add("killed", pid=pid)
        self.say(
            "3",
            f"Half are done: [bold]kill -9 {pid}[/]. Its handlers stop in the middle of a call.",
            f"Process {self._worker.start()} takes over: it reads the log, and goes on from there.",
        )

    def _stop(self) -> None:
        status = self._worker.stop()
        self.say(
            "4",
            f"All have their answer. The worker is asked to end, and does (status {status}).",
            "Now all is counted again: nothing that this process remembers is used, only the",
            "log, the journal of the handlers' calls, and the shop's own books.",
        )
