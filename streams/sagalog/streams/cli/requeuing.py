"""`sagalog requeue`: what waits for a person is tried again, one or many."""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from typing import Any

import typer
from rich.text import Text

from sagalog.engine.instance import PARKED
from sagalog.engine.turning import parked_at
from sagalog.streams.cli import logs
from sagalog.streams.cli.choosing import Choice, chosen, confirm, read
from sagalog.streams.cli.documents import write_line
from sagalog.streams.cli.plans import parked_step
from sagalog.streams.cli.reporting import Code
from sagalog.streams.cli.screen import progress, show, status
from sagalog.streams.cli.sessions import Asking, asking
from sagalog.streams.history import Listed

AT_ONCE = 200
"""Releases that are under way at the same time."""


@dataclass(frozen=True, slots=True)
class Requeuing:
    """What `requeue` was told. `timeout` in seconds."""

    target: str
    choice: Choice
    dry_run: bool
    yes: bool
    by: str
    timeout: float
    as_json: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one: `why` says why not, and is empty where it was put back."""

    listed: Listed
    step: str
    why: str = ""


def perform(requeuing: Requeuing, url: str | None) -> None:
    """Do it, and end with the exit code that fits."""
    logs.configure(logging.WARNING)
    raise typer.Exit(asyncio.run(_requeue(requeuing, url)))


async def _requeue(requeuing: Requeuing, url: str | None) -> Code:
    async with asking(url, requeuing.target) as session:
        states = await read(session)
        told = [_plan(one) for one in await chosen(session, states, requeuing.choice)]
        ready = sum(not one.why for one in told)
        if not requeuing.dry_run and ready:
            if not requeuing.choice.ids and not requeuing.yes:
                confirm(f"Try {ready:,} instances again?")
            told = await _released(session, requeuing, told)
    _tell(requeuing, told)
    return Code.NO if any(one.why for one in told) else Code.DONE


def _plan(listed: Listed) -> Told:
    state, step = listed.state, parked_step(listed.state)
    if state.status not in PARKED or not step:
        return Told(listed, step, f"it is {state.status}: no step of it waits for a person")
    if parked_at(state, step, "retry") is None:
        why = "the step ran elsewhere, and its instance there has ended: resolve or skip it"
        return Told(listed, step, why)
    return Told(listed, step)


async def _released(session: Asking, requeuing: Requeuing, told: list[Told]) -> list[Told]:
    room, done = asyncio.Semaphore(AT_ONCE), 0
    with progress("requeuing") as report:

        async def put_back(one: Told) -> Told:
            nonlocal done
            if not one.why:
                async with room:
                    one = await _release(session, requeuing, one)
            done += 1
            report(done, len(told))
            return one

        return await asyncio.gather(*(put_back(one) for one in told))


async def _release(session: Asking, requeuing: Requeuing, one: Told) -> Told:
    at = parked_at(one.listed.state, one.step, "retry")
    assert at is not None, "planned, and not parked"
    release = session.client.release(
        one.listed.id, one.step, "retry", by=requeuing.by, number=at[0], attempt=at[1]
    )
    try:
        stands = await asyncio.wait_for(release, requeuing.timeout)
    except TimeoutError:
        why = f"no pod has taken it in within {requeuing.timeout:g} s; it is in the log, not lost"
        return Told(one.listed, one.step, why)
    if stands is not None:
        return Told(one.listed, one.step, f"it has moved on: it is {stands.status} now")
    return one


def _tell(requeuing: Requeuing, told: list[Told]) -> None:
    if requeuing.as_json:
        for one in told:
            write_line(_document(one, dry_run=requeuing.dry_run))
        return
    for why, count in Counter(one.why for one in told if one.why).items():
        show(Text(f"{count:,} not: {why}", "yellow"))
    named = [one for one in told if not one.why]
    if requeuing.choice.ids or requeuing.dry_run:
        for one in named:
            state = one.listed.state
            show(Text.assemble(status(state.status), f"  {one.listed.id}  {one.step}"))
    said = "would be tried again" if requeuing.dry_run else "put back, to be tried again"
    show(Text(f"{len(named):,} {said}"))


def _document(one: Told, *, dry_run: bool) -> dict[str, Any]:
    state = one.listed.state
    return {
        "id": one.listed.id,
        "name": state.definition.name,
        "status": state.status,
        "step": one.step or None,
        "requeued": not one.why and not dry_run,
        "why_not": one.why or ("a dry run" if dry_run else None),
    }
