"""Which instances a command is about: those named, or those of a state; and asking first."""

import asyncio
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import typer

from sagalog.streams.cli.listing import View, statuses
from sagalog.streams.cli.reporting import Code, Complaint
from sagalog.streams.cli.screen import progress
from sagalog.streams.cli.sessions import Session
from sagalog.streams.history import Listed, States
from sagalog.streams.pausing import read_pauses
from sagalog.streams.surroundings import wall_clock

T = TypeVar("T")

PAUSE = 0.1
"""Seconds between two looks whether it is done."""


@dataclass(frozen=True, slots=True)
class Choice:
    """By id, or by status, and then of one name where that is given."""

    ids: Sequence[str] = ()
    statuses: Sequence[str] = ()
    name: str | None = None


async def read(session: Session) -> States:
    """What the app holds."""
    states = States(session.log, session.app)
    with progress(f"reading {session.app}.events") as report:
        await states.read(report)
    return states


async def chosen(session: Session, states: States, choice: Choice) -> list[Listed]:
    """The instances that are meant, as `list` tells them. Raises Complaint for one there is not."""
    if choice.ids:
        return [_known(states, instance, session.app) for instance in choice.ids]
    wanted = statuses(choice.statuses)
    view = View(wall_clock(), await read_pauses(session.log, session.app))
    return [
        listed
        for listed in states.all()
        if wanted & {listed.state.status, view.phase(listed)}
        and choice.name in (None, listed.state.definition.name)
    ]


def _known(states: States, instance: str, app: str) -> Listed:
    found = states.get(instance)
    if found is None:
        message = f"{app} has no instance {instance}. `sagalog list` tells which there are"
        raise Complaint(message, Code.NOT_FOUND)
    return found


def confirm(question: str) -> None:
    """Let the person say yes. Raises Complaint where they do not."""
    if not _answer(lambda: typer.confirm(question, err=True)):
        raise Complaint("nothing was done", Code.NO)


def confirm_count(what: str, count: int) -> None:
    """Let the person type how many. Raises Complaint where that is not what they type."""
    asked = f"{what} Type {count} to go on"
    typed = _answer(lambda: typer.prompt(asked, err=True, default="", show_default=False))
    if typed.replace(",", "").strip() != str(count):
        raise Complaint("nothing was done", Code.NO)


def _answer(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        typer.echo(err=True)
        message = "nothing was done: there is nobody here to ask. Give --yes to do it unasked"
        raise Complaint(message) from None


async def until_done(
    states: States, ids: Iterable[str], done: Callable[[Listed | None], bool], timeout: float
) -> set[str]:
    """Wait until each is done, or so many seconds; those that are not."""
    left = set(ids)
    total = len(left)
    with progress("waiting") as report:
        try:
            async with asyncio.timeout(timeout):
                while left:
                    await states.read()
                    left = {instance for instance in left if not done(states.get(instance))}
                    report(total - len(left), total)
                    await asyncio.sleep(PAUSE if left else 0)
        except TimeoutError:
            pass
    return left
