"""What people see: answers on stdout, progress on stderr."""

import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from sagalog.streams.history import Progress as Report

WIDE = 1000
"""Columns where nobody looks: a pipe cuts nothing."""

PATIENCE = 0.5
"""Seconds of reading without a progress bar."""

COLOURS = {
    "completed": "green",
    "scheduled": "cyan",
    "running": "cyan",
    "retrying": "yellow",
    "paused": "yellow",
    "compensating": "yellow",
    "compensated": "magenta",
    "cancelled": "magenta",
    "refused": "magenta",
    "dead": "bold red",
    "stuck": "bold red",
    "queued": "cyan",
    "ready": "cyan",
    "waiting": "dim",
    "failed": "red",
}


def console() -> Console:
    """Stdout, where user data is never taken for markup."""
    width = None if sys.stdout.isatty() else WIDE
    return Console(markup=False, highlight=False, emoji=False, width=width, soft_wrap=False)


def show(*lines: RenderableType) -> None:
    """Write an answer for people."""
    screen = console()
    if screen.is_terminal:
        for line in lines:
            screen.print(line)
        return
    with screen.capture() as written:
        for line in lines:
            screen.print(line)
    for text in written.get().splitlines():
        sys.stdout.write(f"{text.rstrip()}\n")


def status(word: str) -> Text:
    """A status in its colour."""
    return Text(word, COLOURS.get(word, ""))


def table(
    *columns: str, rows: Sequence[Sequence[RenderableType | None]], cut: bool = False
) -> Table:
    """A table without lines; its last column takes what width is left, and is folded or cut."""
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns[:-1]:
        made.add_column(column, no_wrap=True)
    made.add_column(columns[-1], overflow="fold")
    for row in rows:
        made.add_row(*row[:-1], _cut(row[-1]) if cut else row[-1])
    return made


def _cut(cell: RenderableType | None) -> Text:
    """A cell that stays on one line; its column alone gives way where there is no room."""
    text = cell if isinstance(cell, Text) else Text(str(cell or ""))
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def brief(value: Any, most: int = 100) -> str:
    """A JSON value in one line, cut where it is longer than `most`; a text without its quotes."""
    text = value.replace("\n", " ") if isinstance(value, str) else orjson.dumps(value).decode()
    text = text if text.isprintable() else repr(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


@contextmanager
def progress(what: str) -> Generator[Report]:
    """A bar on stderr for a read that takes long; none where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _read, _total: None
        return
    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    began, task = time.monotonic(), bar.add_task(what)

    def report(read: int, total: int) -> None:
        if not bar.live.is_started and time.monotonic() - began > PATIENCE:
            bar.start()
        bar.update(task, completed=read, total=total)

    try:
        yield report
    finally:
        bar.stop()
