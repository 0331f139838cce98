"""`sagalog backups list|show|retry|resolve`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from sagalog.engine.backups import Standing
from sagalog.schemas.codec import rfc3339
from sagalog.streams.backups import Done, Kept, NoBackup, one_of, read_backups
from sagalog.streams.cli import logs
from sagalog.streams.cli.documents import write_json, write_line
from sagalog.streams.cli.inputs import parsed
from sagalog.streams.cli.reporting import Code, Complaint, note
from sagalog.streams.cli.screen import brief, progress, show, table
from sagalog.streams.cli.sessions import Asking, Session, asking, looking
from sagalog.streams.cli.starting import unowned
from sagalog.streams.cli.times import date_and_clock, due, short_time
from sagalog.streams.client import Client
from sagalog.streams.settings import Settings
from sagalog.streams.spool import Spool
from sagalog.streams.surroundings import wall_clock

Work = Callable[[Client, str], Awaitable[Done]]
"""What a client is asked to do about the backup of an id."""

WAITING: frozenset[Standing] = frozenset({"waits", "conflict"})

_COLOURS: dict[Standing, str] = {
    "waits": "bold red",
    "conflict": "bold red",
    "emergency": "yellow",
    "unrecorded": "yellow",
    "untold": "yellow",
    "done": "green",
}

_SAID: dict[Done, str] = {
    "released": "tried again now",
    "told again": "handed to the pods again",
    "by itself": "left alone: it goes on by itself",
    "resolved": "resolved",
    "refused": "left alone: its instance has moved on meanwhile. Look at it again",
}


def list_backups(
    url: str | None, target: str, tags: list[str], *, waiting: bool, as_json: bool
) -> None:
    """List the open backups, the oldest first."""
    logs.configure(logging.WARNING)
    kept = asyncio.run(_read(url, target))
    chosen = [
        one
        for one in kept
        if set(tags) <= set(one.backup.tags) and (not waiting or one.standing in WAITING)
    ]
    if as_json:
        for one in chosen:
            write_line(document(one))
    else:
        show(*_lines(chosen, len(kept)))


async def _read(url: str | None, target: str) -> list[Kept]:
    async with looking(url, target) as session:
        _note_spool(session)
        return await read(session)


async def read(session: Session) -> list[Kept]:
    """All open backups of the app."""
    with progress(f"reading {session.app}.backups") as report:
        return await read_backups(session.log, session.app, report)


def _note_spool(session: Session) -> None:
    folder = Settings().spool
    if not Spool(folder, session.app, session.log.identity).empty:
        note(f"{folder} on this machine holds more, which the app's next client here publishes")


def _lines(chosen: list[Kept], held: int) -> Iterator[RenderableType]:
    if not chosen:
        yield Text(f"None of the {held} open backups." if held else "No open backups.")
        return
    now = wall_clock()
    rows = [_row(one, now) for one in chosen]
    yield table("id", "since", "is", "what", "tags", "user", "why", rows=rows, cut=True)


def _row(one: Kept, now: int) -> tuple[RenderableType, ...]:
    backup, error = one.backup, one.error
    why = f"{error.type}: {brief(error.message)}" if error else ""
    if one.next_attempt:
        why = f"again {due(one.next_attempt, now)}: {why}"
    return (
        one.short,
        short_time(backup.at, now),
        Text(one.standing, _COLOURS.get(one.standing, "dim")),
        _what(one),
        ", ".join(backup.tags),
        backup.user,
        why,
    )


def _what(one: Kept) -> str:
    claim = one.backup.claim
    return f"{claim.name}, then {claim.then}" if claim.then else claim.name


def document(one: Kept) -> dict[str, Any]:
    """A backup for scripts."""
    backup, claim = one.backup, one.backup.claim
    return {
        "id": one.id,
        "short": one.short,
        "standing": one.standing,
        "instance": backup.instance,
        "operation": claim.name,
        "then": claim.then,
        "key": claim.key,
        "tenant": claim.tenant,
        "tags": backup.tags,
        "user": backup.user,
        "time": rfc3339(backup.at),
        "input": claim.input,
        "done": claim.done,
        "error": one.error,
        "next_attempt": rfc3339(one.next_attempt) if one.next_attempt else None,
        "status": one.state.status if one.state else None,
    }


def show_backup(url: str | None, target: str, wanted: str, *, as_json: bool) -> None:
    """Show one backup whole."""
    logs.configure(logging.WARNING)
    app, one = asyncio.run(_one(url, target, wanted))
    if as_json:
        write_json(document(one))
    else:
        show(*_whole(one), *_next(one, app))


async def _one(url: str | None, target: str, wanted: str) -> tuple[str, Kept]:
    async with looking(url, target) as session:
        return session.app, meant(await read(session), wanted)


def meant(kept: list[Kept], wanted: str) -> Kept:
    """The backup that is meant. Raises Complaint."""
    try:
        return one_of(kept, wanted)
    except NoBackup as error:
        raise Complaint(f"{error}. `sagalog backups list` tells them", Code.NOT_FOUND) from error


def _whole(one: Kept) -> Iterator[RenderableType]:
    yield Text.assemble((one.short, "bold"), "  ", (one.standing, _COLOURS.get(one.standing, "")))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in _about(one):
        grid.add_row(name, value)
    yield grid


def _about(one: Kept) -> Iterator[tuple[str, RenderableType]]:
    backup, claim = one.backup, one.backup.claim
    yield "id", one.id
    yield "when", date_and_clock(backup.at)
    yield "what", _what(one)
    for name, value in (
        ("key", claim.key),
        ("tags", ", ".join(backup.tags)),
        ("user", backup.user),
    ):
        if value:
            yield name, value
    yield "input", brief(claim.input, 4000)
    for step, result in claim.done.items():
        yield f"{step} gave", brief(result, 4000)
    if one.error:
        yield "error", Text(f"{one.error.type}: {one.error.message}", "red")
    if one.next_attempt:
        yield "again", due(one.next_attempt, wall_clock())


def _next(one: Kept, app: str) -> Iterator[RenderableType]:
    yield Text()
    if one.standing in ("waits", "unrecorded"):
        yield Text(f"try it again:  sagalog backups retry {one.short} --app {app}")
    yield Text(f"done by hand:  sagalog backups resolve {one.short} --app {app}")
    yield Text(f"its instance:  sagalog show {one.backup.instance} --app {app}", "dim")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of one backup. `timeout` in seconds."""

    target: str
    wanted: str
    by: str
    timeout: float
    as_json: bool


def retry(url: str | None, wish: Wish) -> None:
    """Have a backup's work tried again, and end with the exit code that fits."""
    logs.configure(logging.WARNING)
    raise typer.Exit(asyncio.run(_do(url, wish, lambda c, id: c.retry_backup(id, by=wish.by))))


def resolve(url: str | None, wish: Wish, result: str | None) -> None:
    """Take a backup's work as done by hand, and end with the exit code that fits."""
    logs.configure(logging.WARNING)
    value = None if result is None else parsed(result, "--result")
    work: Work = lambda c, id: c.resolve_backup(id, value, by=wish.by)  # noqa: E731
    raise typer.Exit(asyncio.run(_do(url, wish, work)))


async def _do(url: str | None, wish: Wish, work: Work) -> Code:
    async with asking(url, wish.target) as session:
        one = meant(await read(session), wish.wanted)
        try:
            async with asyncio.timeout(wish.timeout):
                done = await work(session.client, one.id)
        except TimeoutError:
            raise Complaint(await _unanswered(session, wish), Code.NO) from None
    _tell(one, done, as_json=wish.as_json)
    return Code.NO if done in ("by itself", "refused") else Code.DONE


async def _unanswered(session: Asking, wish: Wish) -> str:
    said = f"no pod has answered within {wish.timeout:g} s; the request may be in the log, not lost"
    if await unowned(session):
        return f"{said}: none runs. Start one with `sagalog run MODULE:APP`, then look again"
    return f"{said}. Look again: `sagalog backups show {wish.wanted}`"


def _tell(one: Kept, done: Done, *, as_json: bool) -> None:
    if as_json:
        write_json(
            {"id": one.id, "instance": one.backup.instance, "was": one.standing, "how": done}
        )
    else:
        show(Text(f"{one.short} {_SAID[done]}"))
