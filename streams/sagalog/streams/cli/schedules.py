"""`sagalog schedules`, and what a schedule says of itself elsewhere."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from sagalog.engine.instance import Instance
from sagalog.engine.lifecycle import phase
from sagalog.schemas.codec import rfc3339
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.facts import ScheduleFired, StepProgressed
from sagalog.schemas.ids import firing_key, instance_id
from sagalog.streams.cli.documents import write_line
from sagalog.streams.cli.facts import plan
from sagalog.streams.cli.screen import progress, show, status, table
from sagalog.streams.cli.sessions import looking
from sagalog.streams.cli.times import due, short_time
from sagalog.streams.history import Listed, read_states
from sagalog.streams.story import Moment
from sagalog.streams.surroundings import wall_clock

SHOWN = 20
"""How many firings a timeline shows, the newest."""


async def list_schedules(url: str | None, target: str, *, ended: bool, as_json: bool) -> None:
    """Fold the app's events, and show its schedules."""
    now = wall_clock()
    async with looking(url, target) as session:
        with progress(f"reading {session.app}.events") as report:
            held = await read_states(session.log, session.app, None, report)
    found = [one for one in held if one.state.beat and (ended or not one.state.ended)]
    found.sort(key=lambda one: (one.state.definition.name, one.state.key or ""))
    if as_json:
        for one in found:
            write_line(_document(one, now))
    elif not found:
        show(Text("No schedules."))
    else:
        columns = "id", "key", "starts", "every", "status", "last", "next"
        show(table(*columns, rows=[_row(one, now) for one in found]))


def _row(one: Listed, now: int) -> tuple[RenderableType, ...]:
    state, beat = one.state, one.state.beat
    assert beat is not None, "a schedule without its beat"
    return (
        one.id,
        state.key or "",
        state.definition.name,
        plan(beat.plan),
        status(phase(state, now)),
        short_time(beat.last, now) if beat.last else "never",
        "" if state.ended else due(beat.due, now),
    )


def beat_note(state: Instance, now: int) -> str:
    """A schedule in a few words."""
    assert state.beat is not None, "a schedule without its beat"
    ahead = "" if state.ended else f"  next {due(state.beat.due, now)}"
    return f"every {plan(state.beat.plan)}{ahead}"


def about_beat(state: Instance, now: int) -> Iterator[tuple[str, RenderableType]]:
    """What `show` says of a schedule beside what it says of all."""
    beat = state.beat
    assert beat is not None, "a schedule without its beat"
    yield "every", plan(beat.plan)
    if beat.last:
        key = firing_key(state.key or "", beat.last)
        last = instance_id(state.tenant, state.definition.name, key)
        yield "last", f"{short_time(beat.last, now)}, key {key}: {last}"
    if not state.ended:
        yield "next", due(beat.due, now)


def beat_document(state: Instance) -> dict[str, Any] | None:
    """A schedule for scripts; None for what is none."""
    beat = state.beat
    if beat is None:
        return None
    return {
        "every": beat.plan.every,
        "zone": beat.plan.zone,
        "catch_up": beat.plan.catch_up,
        "last": rfc3339(beat.last) if beat.last else None,
        "next": rfc3339(beat.due) if beat.due and not state.ended else None,
    }


def _document(one: Listed, now: int) -> dict[str, Any]:
    state = one.state
    return {
        "id": one.id,
        "key": state.key,
        "name": state.definition.name,
        "kind": state.definition.kind,
        "status": state.status,
        "phase": phase(state, now),
        "tenant": state.tenant,
        "priority": state.priority,
        **(beat_document(state) or {}),
        "partition": one.partition,
    }


def recent(moments: Sequence[Moment]) -> list[Moment]:
    """The moments of a timeline, without all but the newest firings and reports of progress."""
    fired = [n for n, moment in enumerate(moments) if _is(moment, ScheduleFired)]
    said = [n for n, moment in enumerate(moments) if _is(moment, StepProgressed)]
    hidden = {*fired[:-SHOWN], *said[:-1]}
    return [moment for n, moment in enumerate(moments) if n not in hidden]


def _is(moment: Moment, kind: type[ScheduleFired | StepProgressed]) -> bool:
    return isinstance(moment.message, Envelope) and isinstance(moment.message.data, kind)
