"""`sagalog start` and `submit`: sends a request, and tells how it ended."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import typer

from sagalog.engine import App
from sagalog.schemas.definition import Json
from sagalog.schemas.requests import StepData
from sagalog.streams.cli import logs
from sagalog.streams.cli.documents import write_json
from sagalog.streams.cli.reporting import Code, Complaint, note
from sagalog.streams.cli.sessions import Asking, asking
from sagalog.streams.handle import Handle
from sagalog.streams.options import Options
from sagalog.streams.outcomes import Outcome

SOON = 3.0
"""Seconds after which a person is told that it still runs."""


@dataclass(frozen=True, slots=True)
class Starting:
    """What `start` or `submit` was told. `timeout` in seconds."""

    target: str
    name: str
    input: Json
    steps: Sequence[StepData] | None
    alone: bool
    options: Options
    wait: bool
    timeout: float | None
    as_json: bool


def perform(starting: Starting, url: str | None) -> None:
    """Do it, and end with the exit code that fits."""
    logs.configure(logging.WARNING)
    raise typer.Exit(asyncio.run(start(starting, url)))


async def start(starting: Starting, url: str | None) -> Code:
    """Start it, and wait for its end where that is wanted."""
    async with asking(url, starting.target) as session:
        _check_name(session.client.app, starting)
        return await finish(session, await _sent(session, starting), starting)


async def finish(session: Asking, handle: Handle[Any], starting: Starting) -> Code:
    """Tell the id, or wait for the end and tell that."""
    if starting.options.get("every") is not None:
        await _scheduled(session, handle, starting)
        _tell_started(handle.id, session.app, starting)
        return Code.DONE
    if not starting.wait:
        _tell_started(handle.id, session.app, starting)
        return Code.DONE
    outcome = await _settled(session, handle, starting)
    _tell_outcome(outcome, session.app, starting)
    return Code.DONE if outcome.status == "completed" else Code.NO


def _check_name(app: App | None, starting: Starting) -> None:
    if app is None:
        return
    if starting.steps is not None:
        app.from_data(starting.name, starting.steps)
        return
    known = [*app.operations] if starting.alone else [*app.sagas, *app.operations]
    if starting.name not in known:
        what = "operation" if starting.alone else "saga or operation"
        near = get_close_matches(starting.name, known, 1)
        hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(known) or 'none'}"
        raise Complaint(f"{app.name} has no {what} {starting.name!r}. {hint}")


async def _sent(session: Asking, starting: Starting) -> Handle[Any]:
    client, name = session.client, starting.name
    if starting.alone:
        return await client.submit(name, starting.input, **starting.options)
    return await client.start(name, starting.input, steps=starting.steps, **starting.options)


async def _scheduled(session: Asking, handle: Handle[Any], starting: Starting) -> None:
    """Wait until a pod has taken it in, where that is wanted."""
    if not starting.wait:
        return
    if await unowned(session):
        note(await _still(session, handle.id))
        return
    try:
        await handle.started(starting.timeout)
    except TimeoutError:
        said = f"{handle.id} is in the log, and no pod has taken it in within"
        raise Complaint(f"{said} {starting.timeout:g} s", Code.NO) from None


async def _settled(session: Asking, handle: Handle[Any], starting: Starting) -> Outcome:
    waiting = asyncio.ensure_future(handle.outcome(starting.timeout))
    try:
        await asyncio.wait({waiting}, timeout=SOON)
        if not waiting.done():
            note(await _still(session, handle.id))
        return await waiting
    except TimeoutError:
        raise Complaint(
            f"{handle.id} has not ended within {starting.timeout:g} s. It goes on: "
            f"`sagalog show {handle.id} --app {session.app}`",
            Code.NO,
        ) from None
    finally:
        waiting.cancel()


async def _still(session: Asking, instance: str) -> str:
    if await unowned(session):
        return (
            f"{instance} is in the log, and no pod of {session.app} runs on {session.url}: "
            "start one with `sagalog run MODULE:APP`"
        )
    return f"{instance} has not ended yet. Ctrl-C leaves it running"


async def unowned(session: Asking) -> bool:
    """Whether it is sure that nobody works on the app; on Kafka it never is."""
    owned_by = getattr(session.log, "owned_by", None)
    return owned_by is not None and await owned_by(session.app) is None


def _tell_started(instance: str, app: str, starting: Starting) -> None:
    if starting.as_json:
        write_json({"id": instance, "app": app, "name": starting.name, "status": "requested"})
    else:
        print(instance)  # noqa: T201 (the whole answer, for scripts and people alike)


def _tell_outcome(outcome: Outcome, app: str, starting: Starting) -> None:
    if starting.as_json:
        write_json(document(outcome, app, starting.name))
        return
    from sagalog.streams.cli.outcomes import outcome_lines  # noqa: PLC0415 (rich is slow to import)
    from sagalog.streams.cli.screen import show  # noqa: PLC0415

    show(*outcome_lines(outcome, app, starting.name))


def document(outcome: Outcome, app: str, name: str) -> dict[str, Any]:
    """An outcome for scripts."""
    return {
        "id": outcome.instance,
        "app": app,
        "name": name,
        "status": outcome.status,
        "result": outcome.value,
        "error": outcome.error,
        "remaining": outcome.remaining,
    }
