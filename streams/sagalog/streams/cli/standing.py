"""`sagalog status`: an app's lanes, operations and tenants, once or again and again."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from sagalog.streams.cli import logs
from sagalog.streams.cli.documents import write_json, write_line
from sagalog.streams.cli.durations import spoken
from sagalog.streams.cli.screen import COLOURS, console, progress, show, table
from sagalog.streams.cli.sessions import looking
from sagalog.streams.cli.times import date_and_clock
from sagalog.streams.status import STATES, Counts, Observer, Status


@dataclass(frozen=True, slots=True)
class Standing:
    """What `status` was told. `interval` and `lately` in seconds; 0 for a single look."""

    target: str
    interval: float
    lately: float
    watch: bool
    as_json: bool


def perform(standing: Standing, url: str | None) -> None:
    """Look, and tell."""
    logs.configure(logging.WARNING)
    asyncio.run(_tell(standing, url))


async def _tell(standing: Standing, url: str | None) -> None:
    looks = _looks(standing, url)
    if standing.as_json:
        async for status in looks:
            (write_line if standing.watch else write_json)(status.document())
    elif standing.watch and console().is_terminal:
        with Live(console=console(), auto_refresh=False) as live:
            async for status in looks:
                live.update(Group(*lines(status)), refresh=True)
    else:
        async for status in looks:
            show(*lines(status))


async def _looks(standing: Standing, url: str | None) -> AsyncIterator[Status]:
    async with looking(url, standing.target) as session:
        lately = round(standing.lately * 1000)
        observer = Observer(session.log, session.app, lately=lately)
        with progress(f"reading {session.app}.events") as report:
            status = await observer.look(report)
        if standing.interval == 0:
            yield status
            return
        while True:
            await asyncio.sleep(standing.interval)
            yield await observer.look()
            if not standing.watch:
                return


def lines(status: Status) -> Iterator[RenderableType]:
    """A status for people."""
    yield Text.assemble((status.app, "bold"), f"  {date_and_clock(status.at)}")
    yield Text()
    yield _lanes(status)
    for title, counted in (("operation", status.operations), ("tenant", status.tenants)):
        if title == "operation" or set(counted) - {""}:
            yield Text()
            yield from _counted(title, counted, status)
    if status.unknown:
        yield Text()
        more = f"{status.unknown:,} more requests wait that were not looked into"
        yield Text(more, "dim")


def _lanes(status: Status) -> RenderableType:
    rows = [
        (
            lane.lane,
            f"{lane.depth:,}",
            "" if lane.oldest_wait is None else spoken(lane.oldest_wait),
            _rate(lane.rate_in),
            _rate(lane.rate_out),
            f"{lane.in_flight:,}",
        )
        for lane in status.lanes
    ]
    return table("lane", "depth", "oldest wait", "in/s", "out/s", "in flight", rows=rows)


def _rate(rate: float | None) -> str:
    return "" if rate is None else f"{rate:,.1f}" if rate < 10 else f"{rate:,.0f}"


def _counted(title: str, counted: Mapping[str, Counts], status: Status) -> Iterator[RenderableType]:
    if not counted:
        yield Text("No instances.")
        return
    present = [state for state in STATES if any(counts.get(state) for counts in counted.values())]
    rows: list[tuple[RenderableType, ...]] = [
        (name or "(none)", *(_count(state, counts) for state in present), "")
        for name, counts in counted.items()
    ]
    yield table(title, *present, "", rows=rows)
    if {"completed", "compensated", "cancelled", "refused"} & set(present):
        yield Text(f"of what has ended, the last {spoken(status.lately)}", "dim")


def _count(state: str, counts: Counts) -> Text:
    number = counts.get(state, 0)
    return Text(f"{number:,}" if number else "-", COLOURS.get(state, "") if number else "dim")
