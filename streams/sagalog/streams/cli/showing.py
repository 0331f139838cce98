"""`sagalog show`: one instance, from its first fact to what it still wants done."""

from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from sagalog.engine.instance import Instance
from sagalog.engine.lifecycle import phase
from sagalog.schemas.codec import rfc3339
from sagalog.schemas.definition import PRIORITIES
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.ids import instance_id
from sagalog.streams.cli.documents import write_json
from sagalog.streams.cli.durations import spoken
from sagalog.streams.cli.facts import words
from sagalog.streams.cli.plans import plan_documents, plan_words
from sagalog.streams.cli.reporting import Code, Complaint
from sagalog.streams.cli.schedules import about_beat, beat_document, recent
from sagalog.streams.cli.screen import brief, progress, show, status, table
from sagalog.streams.cli.sessions import looking
from sagalog.streams.cli.steps import children, step_documents, steps_table
from sagalog.streams.cli.times import clock, date_and_clock, zone
from sagalog.streams.pausing import Waits, read_pauses, waits
from sagalog.streams.story import Moment, Queued, Story, Teller
from sagalog.streams.surroundings import wall_clock


async def show_instance(url: str | None, target: str, instance: str, *, as_json: bool) -> None:
    """Read one instance back and show it. Raises Complaint where the log knows nothing of it."""
    async with looking(url, target) as session:
        with progress(f"reading {session.app}.events") as report:
            story = await Teller(session.log, session.app, instance).read(report)
        pauses = (await read_pauses(session.log, session.app))[story.partition]
    if not story.found:
        raise Complaint(_unknown(story, session.url), Code.NOT_FOUND)
    held = waits(story.state, pauses) if story.state and not story.forgotten else None
    if as_json:
        write_json(document(story) | {"paused": held.why if held else None})
    else:
        show(*lines(story, wall_clock(), held))


def id_of(name: str, key: str, tenant: str) -> str:
    """The id of the instance that a key stands for."""
    return instance_id(tenant, name, key)


def _unknown(story: Story, url: str) -> str:
    said = f"{story.app} has no instance {story.id} in {url}"
    if story.start:
        said += f": its events before offset {story.start} of partition {story.partition} are gone"
    return said + ". `sagalog list` tells which there are"


def lines(story: Story, now: int, held: Waits | None = None) -> Iterator[RenderableType]:
    """The story for people."""
    state = story.state
    if state is not None:
        yield Text.assemble(
            (state.definition.name, "bold"),
            f"  {story.id}  ",
            status("paused" if held else _status(story, now)),
        )
        if held:
            yield Text(f"waits: {held.why}", "yellow")
        yield _facts_about(story, state, now)
    else:
        yield Text.assemble(f"{story.id}  ", status("queued" if story.queued else "unknown"))
    if story.moments:
        yield from _titled("Timeline", _timeline(story))
    if state is not None and story.steps:
        yield from _titled("Steps", steps_table(story, state))
    yield from _ahead(story, now)


def _titled(title: str, *parts: RenderableType) -> Iterator[RenderableType]:
    yield Text()
    yield Text(title, "bold underline")
    yield from parts


def _status(story: Story, now: int) -> str:
    assert story.state is not None, "a status without a state"
    word = phase(story.state, now) if story.state.beat is not None else story.state.status
    return f"{word}, forgotten" if story.forgotten else word


def _facts_about(story: Story, state: Instance, now: int) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in _about(story, state, now):
        grid.add_row(name, value)
    return grid


def _about(story: Story, state: Instance, now: int) -> Iterator[tuple[str, RenderableType]]:
    yield "started", f"{date_and_clock(state.started_at)} {zone(state.started_at)}"
    if state.ended_at:
        yield "ended", f"after {spoken(state.ended_at - state.started_at)}"
    else:
        yield "age", spoken(max(0, now - state.started_at))
    if state.key is not None:
        yield "key", state.key
    if state.priority != "normal":
        yield "priority", state.priority
    if state.tenant:
        yield "tenant", state.tenant
    if state.deadline is not None:
        yield "deadline", date_and_clock(state.deadline)
    if state.beat is not None:
        yield from about_beat(state, now)
    if state.parent is not None:
        to = state.parent
        yield "parent", f"step {to.step}: sagalog show {to.instance} --app {to.app}"
    yield from _content(story, state)


def _content(story: Story, state: Instance) -> Iterator[tuple[str, RenderableType]]:
    occasion = story.started.occasion if story.started is not None else None
    if occasion is not None:
        yield "schedule", f"sagalog show {occasion.schedule} --app {story.app}"
    if story.started is not None:
        yield "input", brief(story.started.input, 1000)
    elif state.beat is not None:
        yield "input", brief(state.input.decode(), 1000)
    if state.status == "completed":
        yield "result", brief(state.result, 1000)
    if state.error is not None:
        yield "error", Text(f"{state.error.type}: {brief(state.error.message, 1000)}", "red")
    if state.status == "stuck" and state.undoing:
        yield "not undone", Text(", ".join(state.remaining()), "bold red")
    yield "read from", f"{story.app}.events/{story.partition}, offset {story.start} to {story.end}"


def _timeline(story: Story) -> Table:
    began = story.moments[0].time
    rows = [_row(moment, began) for moment in recent(story.moments)]
    return table("offset", "time", "after", "fact", "step", "attempt", "", rows=rows)


def _row(moment: Moment, began: int) -> tuple[RenderableType, ...]:
    said = words(moment)
    ignored = "" if moment.counted else "ignored, it came late or twice. "
    colour = said.colour if moment.counted else "dim strike"
    return (
        str(moment.offset),
        clock(moment.time),
        spoken(max(0, moment.time - began)),
        Text(said.what, colour),
        said.step,
        said.attempt,
        Text(ignored + said.more, "dim" if ignored or said.colour == "dim" else ""),
    )


def _ahead(story: Story, now: int) -> Iterator[RenderableType]:
    """What is still to come: requests that wait, pending work, children to look at."""
    state = story.state
    plans = [_queued(queued) for queued in story.queued]
    if state is not None and not story.forgotten:
        plans += plan_words(state, story.id, story.app, now)
    if plans:
        yield from _titled("Pending", *(Text(f"- {plan}") for plan in plans))
    if state is not None and (told := children(story, state)):
        yield from _titled("Runs elsewhere", *(Text(f"- {child}") for child in told))


def _queued(queued: Queued) -> str:
    what = type(queued.message.data).__name__
    kind = "lane" if queued.lane in PRIORITIES else "topic"
    place = f"{queued.lane}/{queued.partition} at offset {queued.offset}"
    return (
        f"{what} waits in the {kind} {place}, behind {queued.ahead} others; no pod has taken it yet"
    )


def document(story: Story) -> dict[str, Any]:
    """The story for scripts."""
    state = story.state
    return {
        "id": story.id,
        "app": story.app,
        **({} if state is None else _state_document(story, state)),
        "timeline": [_moment_document(moment) for moment in story.moments],
        "queued": [
            {"lane": q.lane, "offset": q.offset, "type": q.message.type, "ahead": q.ahead}
            for q in story.queued
        ],
        "read": {
            "topic": f"{story.app}.events",
            "partition": story.partition,
            "from": story.start,
            "to": story.end,
        },
    }


def _state_document(story: Story, state: Instance) -> dict[str, Any]:
    return {
        "name": state.definition.name,
        "kind": state.definition.kind,
        "status": state.status,
        "forgotten": story.forgotten,
        "cause": state.cause or None,
        "run": state.run,
        "key": state.key,
        "priority": state.priority,
        "tenant": state.tenant,
        "started_at": rfc3339(state.started_at),
        "ended_at": rfc3339(state.ended_at) if state.ended_at else None,
        "deadline": rfc3339(state.deadline) if state.deadline is not None else None,
        "parent": state.parent,
        "schedule": beat_document(state),
        "input": story.started.input if story.started else None,
        "result": state.result,
        "error": state.error,
        "remaining": state.remaining(),
        "steps": step_documents(story, state),
        "pending": [] if story.forgotten else plan_documents(state),
    }


def _moment_document(moment: Moment) -> dict[str, Any]:
    message = moment.message
    said: dict[str, Any] = {"offset": moment.offset, "time": rfc3339(moment.time)}
    if isinstance(message, Envelope):
        said |= {"type": message.type, "id": message.id, "data": message.data}
    else:
        said |= {"type": None, "unreadable": words(moment).more}
    return said | {"counted": moment.counted}
