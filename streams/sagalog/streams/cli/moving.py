"""`sagalog cancel` and `release`: asks an app to move an instance, and watches that it does."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

import typer
from rich.text import Text

from sagalog.engine.instance import PARKED, SETTLED, Instance
from sagalog.engine.turning import parked_at
from sagalog.schemas.definition import Json
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.facts import CancelRequested, StepReleased
from sagalog.streams.cli import logs
from sagalog.streams.cli.documents import write_json
from sagalog.streams.cli.plans import parked_step
from sagalog.streams.cli.reporting import Code, Complaint
from sagalog.streams.cli.screen import brief, progress, show, status
from sagalog.streams.cli.sessions import Asking, asking
from sagalog.streams.cli.starting import unowned
from sagalog.streams.story import Moment, Story, Teller

How = Literal["retry", "resolve", "skip"]


@dataclass(frozen=True, slots=True)
class Moving:
    """Which instance of which app is to be moved. `timeout` in seconds."""

    target: str
    instance: str
    wait: bool
    timeout: float
    as_json: bool


def perform(work: Coroutine[Any, Any, Code]) -> None:
    """Do it, and end with the exit code that fits."""
    logs.configure(logging.WARNING)
    raise typer.Exit(asyncio.run(work))


async def cancel(moving: Moving, url: str | None, reason: str, by: str) -> Code:
    """Ask the instance to turn back."""
    async with asking(url, moving.target) as session:
        watch = Watch(session, moving)
        story = await watch.read()
        lane = story.queued[0].lane if story.state is None else "high"
        if story.state is not None:
            _refuse_cancel(story, story.state)
        await session.client.cancel(moving.instance, reason, by=by, lane=lane)
        state = await watch.settled(CancelRequested)
        watch.tell(state)
        return Code.DONE if state.cause == "cancel" and state.status not in PARKED else Code.NO


def _refuse_cancel(story: Story, state: Instance) -> None:
    if state.ended or story.forgotten:
        raise Complaint(f"{story.id} is {state.status}: it has ended already", Code.NO)
    if state.cause:
        raise Complaint(f"{story.id} is {state.status}: it is turning back already", Code.NO)


async def release(
    moving: Moving, url: str | None, step: str, how: How, result: Json, by: str
) -> Code:
    """Move a parked step on."""
    async with asking(url, moving.target) as session:
        watch = Watch(session, moving)
        at = check_parked(await watch.read(), step, how)
        state = await watch.release(step, how, result, by, at)
        watch.tell(state)
        return Code.NO if state.status in PARKED else Code.DONE


def check_parked(story: Story, step: str, how: How) -> tuple[int, int]:
    """Where the step is parked. Raises Complaint for a release that would move nothing."""
    state = story.state
    if state is None or state.status not in PARKED or story.forgotten:
        what = "still queued" if state is None else state.status
        raise Complaint(f"{story.id} is {what}: no step of it waits for a person", Code.NO)
    if at := parked_at(state, step, how):
        return at
    if how == "retry" and parked_at(state, step, "resolve"):
        raise Complaint(
            f"step {step!r} ran elsewhere and its instance there has ended: it cannot be tried "
            "again. Give its result with --resolve, or --skip it",
            Code.NO,
        )
    waits, names = parked_step(state), [spec.name for spec in state.definition.steps]
    if step in names:
        message = f"step {step!r} of {story.id} does not wait for a person: {waits!r} does"
        raise Complaint(message, Code.NO)
    near = get_close_matches(step, names, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(names)}."
    raise Complaint(f"{story.id} has no step {step!r}. {hint} The one that waits is {waits!r}")


class Watch:
    """Watches an instance in the log while the app is asked to move it."""

    def __init__(self, session: Asking, moving: Moving) -> None:
        self._session, self._moving = session, moving
        self._teller = Teller(session.log, session.app, moving.instance)

    async def read(self) -> Story:
        """How it stands. Raises Complaint where there is no such instance."""
        with progress(f"reading {self._session.app}.events") as report:
            story = await self._teller.read(report)
        if not story.found:
            message = f"{self._session.app} has no instance {self._moving.instance}"
            raise Complaint(f"{message}. `sagalog list` tells which there are", Code.NOT_FOUND)
        return story

    async def release(
        self, step: str, how: How, result: Json, by: str, at: tuple[int, int]
    ) -> Instance:
        """Ask for a release of what is parked `at`, and wait until it is in the log."""
        client, instance = self._session.client, self._moving.instance
        asked = asyncio.create_task(
            client.release(instance, step, how, result, by=by, number=at[0], attempt=at[1])
        )
        try:
            return await self.settled(StepReleased)
        finally:
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)

    async def settled(self, fact: type[Any]) -> Instance:
        """How it stands once `fact` is in the log, and, where wanted, once it has settled."""
        timeout = self._moving.timeout
        try:
            moment = await self._teller.until(lambda m: _is(m, fact), timeout)
        except TimeoutError:
            raise Complaint(await self._unanswered(), Code.NO) from None
        if self._moving.wait and not _rests(moment):
            with suppress(TimeoutError):
                await self._teller.until(_rests, timeout)
        assert self._teller.state is not None, "a fact of an instance without a state"
        return self._teller.state

    async def _unanswered(self) -> str:
        timeout = f"{self._moving.timeout:g} s"
        said = f"the request is in the log, and no pod has taken it in within {timeout}"
        if await unowned(self._session):
            return f"{said}: none runs. Start one with `sagalog run MODULE:APP`"
        return f"{said}. It is not lost: `sagalog show {self._moving.instance}` tells how it stands"

    def tell(self, state: Instance) -> None:
        """Say how it stands now."""
        instance, name = self._moving.instance, state.definition.name
        if self._moving.as_json:
            document = {"id": instance, "name": name, "status": state.status, "error": state.error}
            write_json(document | {"remaining": state.remaining()})
            return
        show(Text.assemble(status(state.status), f"  {name}  {instance}"))
        if state.error is not None:
            show(Text(f"{state.error.type}: {brief(state.error.message, 300)}", "red"))


def _is(moment: Moment, fact: type[Any]) -> bool:
    message = moment.message
    return moment.counted and isinstance(message, Envelope) and isinstance(message.data, fact)


def _rests(moment: Moment) -> bool:
    return moment.state is None or moment.state.status in SETTLED
