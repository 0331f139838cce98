"""`sagalog limits`: sets one, and shows those that there are."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import asdict, dataclass
from typing import Any

from rich.text import Text

from sagalog.engine import Limit
from sagalog.schemas.limits import LimitSpec
from sagalog.streams.cli import logs
from sagalog.streams.cli.documents import write_json, write_line
from sagalog.streams.cli.durations import spoken
from sagalog.streams.cli.screen import progress, show, table
from sagalog.streams.cli.sessions import asking, looking
from sagalog.streams.cli.sightings import note_unseen
from sagalog.streams.limiting import StandingLimit, read_limits


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be limited, and how; `limit` None takes back what was set."""

    operation: str
    key: str | None
    limit: Limit | None
    by: str

    @property
    def what(self) -> str:
        """Its name, for people."""
        return self.operation if self.key is None else f"{self.operation} of {self.key!r}"


def perform(work: Coroutine[Any, Any, None]) -> None:
    """Do it, and say on stderr only what is wrong."""
    logs.configure(logging.WARNING)
    asyncio.run(work)


async def set_limit(url: str | None, target: str, wanted: Wanted, *, as_json: bool) -> None:
    """Set it."""
    async with asking(url, target) as session:
        await session.client.set_limit(wanted.operation, wanted.limit, key=wanted.key, by=wanted.by)
        _tell(wanted, as_json=as_json)
        await note_unseen(session, target, wanted.operation)


def _tell(wanted: Wanted, *, as_json: bool) -> None:
    spec = wanted.limit.spec() if wanted.limit else None
    if as_json:
        limit = asdict(spec) if spec else None
        write_json({"operation": wanted.operation, "key": wanted.key, "limit": limit})
    else:
        said = "as it is declared" if spec is None else sentence(spec)
        show(Text(f"{wanted.what}: {said}"))


async def list_limits(url: str | None, target: str, *, as_json: bool) -> None:
    """Show all that are in use, or set."""
    async with looking(url, target) as session:
        with progress(f"reading {session.app}.events") as report:
            found = await read_limits(session.log, session.app, report)
    if as_json:
        for one in found:
            write_line(asdict(one))
    elif found:
        rows = [_row(one) for one in found]
        show(table("operation", "key", "limit", "", "lent", "wanted", rows=rows))
    else:
        show(Text("No limit is in use, and none is set."))


def _row(one: StandingLimit) -> tuple[str, ...]:
    key = "(all)" if one.key is None else one.key
    how = "set" if one.set else "declared"
    counts = ("", "") if one.key is None else (f"{one.lent:,}", f"{one.wanted:,}")
    return one.operation, key, sentence(one.limit), how, *counts


def sentence(limit: LimitSpec) -> str:
    """A limit in words."""
    said: list[str] = []
    if limit.concurrency is not None:
        said.append(f"{limit.concurrency} at once")
    if limit.rate is not None:
        said.append(f"{limit.rate} in {spoken(limit.per)}")
    return ", ".join(said) or "no bound"
