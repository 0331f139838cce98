"""`sagalog pause`, `resume` and `pauses`: what is held, and what waits for it."""

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from sagalog.engine.pauses import Pauses
from sagalog.schemas.codec import rfc3339
from sagalog.schemas.topics import Topics
from sagalog.streams.cli import logs
from sagalog.streams.cli.documents import write_json, write_line
from sagalog.streams.cli.partitions import ranges
from sagalog.streams.cli.screen import brief, progress, show, table
from sagalog.streams.cli.sessions import Session, asking, looking
from sagalog.streams.cli.sightings import note_unseen
from sagalog.streams.cli.times import due, short_time
from sagalog.streams.history import read_states
from sagalog.streams.owner import lanes_group
from sagalog.streams.pausing import Hold, holds, read_pauses, waits
from sagalog.streams.surroundings import wall_clock


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be held or let go: an operation or a lane."""

    operation: str
    lane: str
    reason: str
    by: str

    @property
    def what(self) -> str:
        """Its name, for people."""
        return f"operation {self.operation}" if self.operation else f"lane {self.lane}"


def perform(work: Coroutine[Any, Any, None]) -> None:
    """Do it, and say on stderr only what is wrong."""
    logs.configure(logging.WARNING)
    asyncio.run(work)


async def pause(url: str | None, target: str, wanted: Wanted, *, as_json: bool) -> None:
    """Hold it."""
    await _order(url, target, wanted, "paused", as_json=as_json)


async def resume(url: str | None, target: str, wanted: Wanted, *, as_json: bool) -> None:
    """Let it go."""
    await _order(url, target, wanted, "resumed", as_json=as_json)


async def _order(url: str | None, target: str, wanted: Wanted, word: str, *, as_json: bool) -> None:
    async with asking(url, target) as session:
        order = session.client.pause if word == "paused" else session.client.resume
        await order(wanted.operation, lane=wanted.lane, reason=wanted.reason, by=wanted.by)
        _tell(wanted, word, as_json=as_json)
        if wanted.operation:
            await note_unseen(session, target, wanted.operation)


def _tell(wanted: Wanted, word: str, *, as_json: bool) -> None:
    if as_json:
        operation, lane = wanted.operation or None, wanted.lane or None
        write_json({"operation": operation, "lane": lane, "now": word})
    else:
        show(Text(f"{wanted.what} is {word} in every partition"))


async def list_pauses(url: str | None, target: str, *, as_json: bool) -> None:
    """Show all that is held."""
    async with looking(url, target) as session:
        held = await read_pauses(session.log, session.app)
        found = holds(held)
        waiting = await _waiting(session, held, found)
    if as_json:
        for hold in found:
            write_line(_document(hold, waiting))
    else:
        show(*_lines(found, waiting, wall_clock()))


async def _waiting(session: Session, held: Mapping[int, Pauses], found: list[Hold]) -> Counter[str]:
    """How many wait for each operation, and how many requests stand in each lane that is held."""
    counts = Counter[str]()
    if any(hold.operation for hold in found):
        with progress(f"reading {session.app}.events") as report:
            states = await read_states(session.log, session.app, None, report)
        known = (waits(one.state, held[one.partition]) for one in states)
        counts.update(f"operation {wait.operation}" for wait in known if wait)
    for hold in found:
        if hold.lane:
            places = [(Topics(session.app).lane(hold.lane), n) for n in hold.partitions]
            ends, starts = await session.log.ends(places), await session.log.starts(places)
            read = await session.log.committed(lanes_group(session.app), places)
            counts[hold.what] = sum(ends[p] - max(starts[p], read.get(p, 0)) for p in places)
    return counts


def _lines(found: list[Hold], waiting: Counter[str], now: int) -> Iterator[RenderableType]:
    if not found:
        yield Text("Nothing is held.")
        return
    rows = [_row(hold, waiting, now) for hold in found]
    yield table("what", "since", "by", "waiting", "partitions", "", rows=rows)


def _row(hold: Hold, waiting: Counter[str], now: int) -> tuple[RenderableType, ...]:
    probe = f"next probe {due(hold.until, now)}  " if hold.until else ""
    return (
        hold.what,
        short_time(hold.since, now),
        hold.by,
        f"{waiting[hold.what]:,}",
        ranges(hold.partitions),
        Text(probe + brief(hold.reason, 200), "yellow" if hold.until else ""),
    )


def _document(hold: Hold, waiting: Counter[str]) -> dict[str, Any]:
    return {
        "operation": hold.operation or None,
        "lane": hold.lane or None,
        "kind": "breaker" if hold.until else "pause",
        "since": rfc3339(hold.since),
        "next_probe": rfc3339(hold.until) if hold.until else None,
        "by": hold.by or None,
        "reason": hold.reason or None,
        "partitions": hold.partitions,
        "waiting": waiting[hold.what],
    }
