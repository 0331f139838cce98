"""`sagalog workers`: who works on an app, and stopping one."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

import typer
from rich.console import RenderableType
from rich.text import Text

from sagalog.streams.cli import logs
from sagalog.streams.cli.documents import write_json, write_line
from sagalog.streams.cli.durations import spoken
from sagalog.streams.cli.reporting import Code, Complaint
from sagalog.streams.cli.screen import show, table
from sagalog.streams.cli.sessions import Session, looking
from sagalog.streams.surroundings import wall_clock
from sagalog.streams.workers import Worker, drain_worker, read_workers

PAUSE = 0.1
"""Seconds between two looks whether it is drained."""

COLOURS = {"working": "green", "draining": "yellow", "drained": "magenta", "gone": "bold red"}


@dataclass(frozen=True, slots=True)
class Draining:
    """What `drain` was told. `timeout` in seconds."""

    name: str
    reason: str
    by: str
    wait: bool
    timeout: float
    as_json: bool


def list_workers(url: str | None, target: str, *, as_json: bool) -> None:
    """List and count them."""
    logs.configure(logging.WARNING)
    workers = asyncio.run(_workers(url, target))
    if as_json:
        for worker in workers:
            write_line(worker.document())
    else:
        show(*_lines(workers, wall_clock()))


async def _workers(url: str | None, target: str) -> list[Worker]:
    async with looking(url, target) as session:
        return await read_workers(session.log, session.app)


def _lines(workers: list[Worker], now: int) -> Iterator[RenderableType]:
    if not workers:
        yield Text("Nobody works on it.")
        return
    rows = [_row(worker, now) for worker in workers]
    yield table("name", "is", "host", "pid", "up", "partitions", "busy", "runs", rows=rows)
    counts = Counter(worker.state for worker in workers)
    yield Text()
    yield Text(" · ".join(f"{count:,} {state}" for state, count in counts.items()), "dim")


def _row(worker: Worker, now: int) -> tuple[RenderableType, ...]:
    said = worker.said
    silent = f" {spoken(max(0, now - worker.seen_at))}" if worker.state == "gone" else ""
    return (
        worker.name,
        Text(worker.state + silent, COLOURS[worker.state]),
        said.host,
        str(said.pid),
        spoken(max(0, worker.seen_at - said.started_at)),
        ",".join(str(number) for number in said.partitions),
        f"{said.busy}/{said.slots}",
        _runs(worker),
    )


def _runs(worker: Worker) -> str:
    """The operations that ran, and the one that did the longest by its instance."""
    if not worker.said.running:
        return ""
    longest = worker.said.running[0]
    lasted = spoken(max(0, worker.seen_at - longest.since))
    others = worker.said.busy - 1
    more = f" and {others:,} more" if others else ""
    undo = "undo " if longest.phase == "undo" else ""
    return f"{undo}{longest.operation} of {longest.instance} for {lasted}{more}"


def drain(url: str | None, target: str, draining: Draining) -> None:
    """Stop one, and end with the exit code that fits."""
    logs.configure(logging.WARNING)
    worker = asyncio.run(_drained(url, target, draining))
    if draining.as_json:
        write_json(worker.document())
    else:
        show(Text.assemble(f"{worker.name}  ", (worker.state, COLOURS[worker.state])))
    raise typer.Exit(Code.DONE if worker.state == "drained" or not draining.wait else Code.NO)


async def _drained(url: str | None, target: str, draining: Draining) -> Worker:
    async with looking(url, target) as session:
        worker = _named(await read_workers(session.log, session.app), draining.name, session)
        if worker.state == "gone":
            ago = spoken(max(0, wall_clock() - worker.seen_at))
            raise Complaint(f"{worker.name} was last seen {ago} ago: it cannot hear", Code.NO)
        name, by, reason = draining.name, draining.by, draining.reason
        await drain_worker(session.log, session.app, name, by=by, reason=reason)
        return await _waited(session, worker, draining) if draining.wait else worker


def _named(workers: list[Worker], name: str, session: Session) -> Worker:
    for worker in workers:
        if worker.name == name:
            return worker
    known = [worker.name for worker in workers]
    near = get_close_matches(name, known, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known) or 'none'}."
    raise Complaint(f"{session.app} has no worker {name!r}. {hint}", Code.NOT_FOUND)


async def _waited(session: Session, worker: Worker, draining: Draining) -> Worker:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + draining.timeout
    while worker.state != "drained" and loop.time() < deadline:
        await asyncio.sleep(PAUSE)
        now = await read_workers(session.log, session.app)
        worker = next((one for one in now if one.name == worker.name), worker)
    return worker
