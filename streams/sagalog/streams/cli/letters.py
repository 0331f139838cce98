"""`sagalog deadletters list` and `show`."""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from sagalog.engine.instance import Instance
from sagalog.schemas.codec import rfc3339
from sagalog.schemas.deadletters import FailedStep, PoisonRecord
from sagalog.streams.cli import logs
from sagalog.streams.cli.documents import write_json, write_line
from sagalog.streams.cli.reporting import Code, Complaint
from sagalog.streams.cli.screen import brief, progress, show, table
from sagalog.streams.cli.sessions import Session, looking
from sagalog.streams.cli.times import date_and_clock, short_time
from sagalog.streams.deadletters import (
    Letter,
    Standing,
    matching,
    read_instances,
    read_letters,
    standing,
)
from sagalog.streams.surroundings import wall_clock

WAITING: frozenset[Standing] = frozenset({"waits", "record"})

_COLOURS: dict[Standing, str] = {"waits": "bold red", "record": "red", "replayed": "green"}


def list_letters(url: str | None, target: str, limit: int, *, waiting: bool, as_json: bool) -> None:
    """List the letters, the newest first, with what has become of them."""
    logs.configure(logging.WARNING)
    told = asyncio.run(_judged(url, target))
    chosen = [one for one in reversed(told) if not waiting or one[1] in WAITING]
    newest = chosen[: limit or len(chosen)]
    if as_json:
        for letter, word in newest:
            write_line(document(letter, word))
    else:
        show(*_lines(newest, len(chosen), len(told)))


async def _judged(url: str | None, target: str) -> list[tuple[Letter, Standing]]:
    async with looking(url, target) as session:
        letters = await read(session)
        instances = await _instances(session, letters)
    return [(letter, _standing(letter, instances)) for letter in letters]


async def read(session: Session) -> list[Letter]:
    """All letters of the app, the oldest first."""
    with progress(f"reading {session.app}.deadletters") as report:
        return await read_letters(session.log, session.app, report)


async def _instances(session: Session, letters: Iterable[Letter]) -> dict[str, Instance]:
    with progress(f"reading {session.app}.events") as report:
        return await read_instances(session.log, session.app, letters, report)


def _standing(letter: Letter, instances: dict[str, Instance]) -> Standing:
    failed = letter.data
    instance = instances.get(failed.instance) if isinstance(failed, FailedStep) else None
    return standing(letter, instance)


def one_of(letters: Iterable[Letter], wanted: str, app: str) -> Letter:
    """The letter that is meant. Raises Complaint for none, or for several."""
    found = matching(letters, wanted)
    if not found:
        message = f"{app} has no dead letter {wanted}. `sagalog deadletters list` tells them"
        raise Complaint(message, Code.NOT_FOUND)
    if len(found) > 1:
        some = ", ".join(one.short for one in found[:5])
        raise Complaint(f"{wanted} may be any of {len(found)} letters: {some}")
    return found[0]


def _lines(
    newest: list[tuple[Letter, Standing]], chosen: int, held: int
) -> Iterator[RenderableType]:
    if not newest:
        yield Text(
            f"None of the {held} dead letters waits for a person." if held else "No dead letters."
        )
        return
    now = wall_clock()
    rows = [_row(letter, word, now) for letter, word in newest]
    yield table("id", "when", "is", "what", "at", "attempts", "why", rows=rows, cut=True)
    if hidden := chosen - len(newest):
        yield Text()
        yield Text(f"{hidden:,} older ones not shown: --limit 0", "dim")


def _row(letter: Letter, word: Standing, now: int) -> tuple[RenderableType, ...]:
    data = letter.data
    shown = letter.short, short_time(letter.time, now), Text(word, _COLOURS.get(word, "dim"))
    if isinstance(data, PoisonRecord):
        place = f"{data.topic}/{data.partition}"
        return (*shown, place, f"offset {data.offset}", "", brief(data.reason))
    step = data.step if data.phase == "forward" else f"undo of {data.step}"
    return (
        *shown,
        data.name,
        step,
        str(data.attempts),
        brief(f"{data.error.type}: {data.error.message}"),
    )


def document(letter: Letter, word: Standing) -> dict[str, Any]:
    """A letter for scripts."""
    return {
        "id": letter.id,
        "short": letter.short,
        "kind": "record" if isinstance(letter.data, PoisonRecord) else "step",
        "standing": word,
        "time": rfc3339(letter.time),
        "replays": letter.replays,
        "letter": letter.data,
    }


def show_letter(url: str | None, target: str, wanted: str, *, as_json: bool) -> None:
    """Show one letter whole."""
    logs.configure(logging.WARNING)
    app, letter, word = asyncio.run(_one_judged(url, target, wanted))
    if as_json:
        write_json(document(letter, word))
        return
    show(*_whole(letter, word), *_next(letter, word, app))


async def _one_judged(url: str | None, target: str, wanted: str) -> tuple[str, Letter, Standing]:
    async with looking(url, target) as session:
        letter = one_of(await read(session), wanted, session.app)
        instances = await _instances(session, [letter])
    return session.app, letter, _standing(letter, instances)


def _whole(letter: Letter, word: Standing) -> Iterator[RenderableType]:
    yield Text.assemble((letter.short, "bold"), "  ", (word, _COLOURS.get(word, "dim")))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    data = letter.data
    about = _about_record(data) if isinstance(data, PoisonRecord) else _about_step(data)
    for name, value in (("id", letter.id), ("when", date_and_clock(letter.time)), *about):
        grid.add_row(name, value)
    for replay in letter.replays:
        into = f", instance {replay.instance}" if replay.instance else ""
        who = f" by {replay.by}" if replay.by else ""
        grid.add_row("replayed", f"{date_and_clock(replay.at)}{who}: {replay.how}{into}")
    yield grid
    if isinstance(data, FailedStep) and data.error.traceback:
        yield Text()
        yield Text(data.error.traceback.rstrip(), "dim")


def _about_step(data: FailedStep) -> Iterator[tuple[str, RenderableType]]:
    undo = "" if data.phase == "forward" else f", its undo number {data.number}"
    yield "step", f"{data.step} of {data.name}{undo}"
    yield "instance", data.instance
    yield "error", Text(f"{data.error.type}: {data.error.message}", "red")
    yield "kind", f"{data.error.kind}, after attempt {data.attempts}"
    yield "then", data.status
    if data.remaining:
        yield "not undone", Text(", ".join(data.remaining), "red")
    yield "input", brief(data.input, 4000)


def _about_record(data: PoisonRecord) -> Iterator[tuple[str, RenderableType]]:
    entry = data.entry()
    yield "from", f"{data.topic}/{data.partition} at offset {data.offset}"
    yield "why", Text(data.reason, "red")
    yield "key", _bytes(entry.key)
    yield "value", _bytes(entry.value)
    for name, value in entry.headers:
        yield f"header {name}", _bytes(value)


def _bytes(value: bytes | None) -> str:
    if value is None:
        return "none"
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = ""
    return brief(text if text.isprintable() else repr(value), 4000)


def _next(letter: Letter, word: Standing, app: str) -> Iterator[RenderableType]:
    replay = f"sagalog deadletters replay {letter.short} --app {app}"
    yield Text()
    if word in WAITING:
        yield Text(f"put it back:  {replay}")
    elif word == "ended":
        yield Text(f"start anew with the same input:  {replay} --as-new")
    if isinstance(letter.data, FailedStep):
        yield Text(f"its instance:  sagalog show {letter.data.instance} --app {app}", "dim")
