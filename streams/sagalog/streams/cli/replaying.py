"""`sagalog deadletters replay`: a letter is put back to where it stopped, or started anew."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import typer
from rich.text import Text

from sagalog.engine import App
from sagalog.engine.instance import PARKED
from sagalog.schemas.codec import decode
from sagalog.schemas.deadletters import FailedStep, PoisonRecord
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.facts import Started
from sagalog.schemas.requests import Start, StartSaga, StepData
from sagalog.schemas.topics import Topics
from sagalog.streams.cli import logs
from sagalog.streams.cli.choosing import confirm
from sagalog.streams.cli.documents import write_json
from sagalog.streams.cli.letters import one_of, read
from sagalog.streams.cli.moving import Moving, Watch
from sagalog.streams.cli.reporting import Code, Complaint
from sagalog.streams.cli.screen import show
from sagalog.streams.cli.sessions import Asking, asking
from sagalog.streams.cli.starting import Starting, finish
from sagalog.streams.cli.times import date_and_clock
from sagalog.streams.deadletters import How, Letter, Replay, mark, standing, too_old, waits_at
from sagalog.streams.handle import Handle
from sagalog.streams.history import bounds, scan
from sagalog.streams.story import Story
from sagalog.streams.surroundings import wall_clock


@dataclass(frozen=True, slots=True)
class Replaying:
    """What `replay` was told. `timeout` in seconds."""

    target: str
    letter: str
    as_new: bool
    yes: bool
    by: str
    wait: bool
    timeout: float
    as_json: bool


def perform(replaying: Replaying, url: str | None) -> None:
    """Do it, and end with the exit code that fits."""
    logs.configure(logging.WARNING)
    raise typer.Exit(asyncio.run(_replay(replaying, url)))


async def _replay(replaying: Replaying, url: str | None) -> Code:
    async with asking(url, replaying.target) as session:
        letter = one_of(await read(session), replaying.letter, session.app)
        anew = [replay for replay in letter.replays if replay.how == "started anew"]
        if anew:
            return _tell_twice(anew[-1], letter, replaying)
        if isinstance(letter.data, PoisonRecord):
            return await _Record(session, replaying, letter).replay(letter.data)
        return await _Step(session, replaying, letter).replay(letter.data)


def _tell_twice(replay: Replay, letter: Letter, replaying: Replaying) -> Code:
    if replaying.as_json:
        write_json(
            {"letter": letter.id, "how": replay.how, "instance": replay.instance, "done": False}
        )
    else:
        when = date_and_clock(replay.at)
        show(Text(f"{letter.short} was started anew already, {when}, as {replay.instance}"))
    return Code.DONE


class _Put:
    """What the two kinds of letters share: noting that they were put back, and starting anew."""

    def __init__(self, session: Asking, replaying: Replaying, letter: Letter) -> None:
        self.session, self.replaying, self.letter = session, replaying, letter

    async def note(self, how: How, instance: str = "") -> None:
        """Let the letter show that it was put back."""
        replay = Replay(how, wall_clock(), self.replaying.by, instance)
        await mark(self.session.log, self.session.app, self.letter, replay)

    async def start_anew(
        self, request: Start, steps: tuple[StepData, ...] | None, *, alone: bool
    ) -> Code:
        """Start what the letter's instance was started with; a second time finds the first."""
        client, name = self.session.client, request.name
        client.tenant = request.tenant
        key = request.key or f"replay:{self.letter.id}"
        handle: Handle[Any]
        if alone:
            handle = await client.submit(name, request.input, key=key, priority=request.priority)
        else:
            handle = await client.start(
                name, request.input, key=key, priority=request.priority, steps=steps
            )
        await self.note("started anew", handle.id)
        starting = Starting(
            target=self.replaying.target,
            name=name,
            input=request.input,
            steps=steps,
            alone=alone,
            options={"key": key, "priority": request.priority},
            wait=self.replaying.wait,
            timeout=self.replaying.timeout,
            as_json=self.replaying.as_json,
        )
        return await finish(self.session, handle, starting)


class _Step(_Put):
    """A letter of a step that failed for good."""

    async def replay(self, failed: FailedStep) -> Code:
        moving = Moving(
            self.replaying.target,
            failed.instance,
            self.replaying.wait,
            self.replaying.timeout,
            self.replaying.as_json,
        )
        watch = Watch(self.session, moving)
        story = await watch.read()
        if self.replaying.as_new:
            return await self._anew(story)
        if story.forgotten or story.state is None or not waits_at(story.state, failed):
            raise Complaint(self._why_not(story), Code.NO)
        at = (failed.number, failed.attempts)
        state = await watch.release(failed.step, "retry", None, self.replaying.by, at)
        await self.note("released")
        watch.tell(state)
        return Code.NO if state.status in PARKED else Code.DONE

    def _why_not(self, story: Story) -> str:
        state = None if story.forgotten else story.state
        word, status = standing(self.letter, state), story.state.status if story.state else "gone"
        if word == "moved on" or (word == "replayed" and not (state is None or state.ended)):
            return f"it was released already: {story.id} is {status} now"
        return (
            f"{story.id} is {status}{', and forgotten' if story.forgotten else ''}: it has no step "
            "to go back to. --as-new starts a new instance with the same input"
        )

    async def _anew(self, story: Story) -> Code:
        if story.state is not None and not story.forgotten and not story.state.ended:
            raise Complaint(
                f"{story.id} is {story.state.status}, not ended: replay without --as-new, "
                "or cancel it first",
                Code.NO,
            )
        started = story.started
        if started is None:
            raise Complaint("its first fact is gone from the log, and with it its input", Code.NO)
        if started.parent is not None:
            to = started.parent
            raise Complaint(
                f"it is step {to.step!r} of another instance: replay the letter of "
                f"{to.instance} in app {to.app}",
                Code.NO,
            )
        request = Start(
            name=started.definition.name,
            input=started.input,
            fingerprint="",
            priority=started.priority,
            tenant=started.tenant,
        )
        steps = await self._steps(story, started)
        return await self.start_anew(request, steps, alone=started.definition.kind == "operation")

    async def _steps(self, story: Story, started: Started) -> tuple[StepData, ...] | None:
        """The steps of a saga given as data: its request still stands in its lane, for a week."""
        place = (Topics(story.app).lane(started.lane), story.partition)
        start, end = (await bounds(self.session.log, [place]))[place]
        at = started.lane_offset
        if not start <= at < end:
            return None
        async for record in scan(self.session.log, {place: (at, at + 1)}):
            message = decode(record.value)
            if isinstance(message, Envelope) and isinstance(message.data, StartSaga):
                return message.data.steps
        return None


class _Record(_Put):
    """A letter of a record that could not be taken in."""

    async def replay(self, record: PoisonRecord) -> Code:
        if self.letter.replays:
            when = date_and_clock(self.letter.replays[-1].at)
            raise Complaint(
                f"it was put back already, {when}. If it failed again, that is a new letter",
                Code.NO,
            )
        if self.replaying.as_new:
            return await self._anew(record)
        app = self.session.client.app
        if reason := too_old(record, wall_clock(), app.retention if isinstance(app, App) else None):
            raise Complaint(f"not put back: {reason}. --as-new starts it as a new request", Code.NO)
        place = f"{record.topic}/{record.partition}"
        if not self.replaying.yes:
            confirm(f"Append it to {place}? It was refused: {record.reason}")
        offset = await self.session.log.append(record.topic, record.partition, [record.entry()])
        await self.note("appended")
        if self.replaying.as_json:
            write_json(
                {"letter": self.letter.id, "how": "appended", "place": place, "offset": offset}
            )
        else:
            show(Text(f"appended to {place} at offset {offset}"))
        return Code.DONE

    async def _anew(self, record: PoisonRecord) -> Code:
        message = decode(record.entry().value)
        if not isinstance(message, Envelope) or not isinstance(message.data, Start):
            raise Complaint("--as-new: the record asks to start nothing", Code.NO)
        request = message.data
        steps = request.steps if isinstance(request, StartSaga) else None
        return await self.start_anew(request, steps, alone=not isinstance(request, StartSaga))
