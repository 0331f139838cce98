"""`sagalog list`: the instances that an app holds, newest first."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import nlargest
from typing import Any, NamedTuple

from rich.console import RenderableType
from rich.text import Text

from sagalog.engine.instance import ENDED, PARKED, Instance
from sagalog.engine.lifecycle import phase
from sagalog.engine.pauses import Pauses
from sagalog.engine.pending import Run, Undo, pending
from sagalog.schemas.codec import rfc3339
from sagalog.streams.cli.documents import write_line
from sagalog.streams.cli.durations import since, spoken
from sagalog.streams.cli.plans import parked_step
from sagalog.streams.cli.reporting import Complaint
from sagalog.streams.cli.schedules import beat_note
from sagalog.streams.cli.screen import brief, progress, show, status, table
from sagalog.streams.cli.sessions import looking
from sagalog.streams.cli.times import due, short_time
from sagalog.streams.history import Listed, read_states
from sagalog.streams.pausing import Waits, read_pauses, waits
from sagalog.streams.surroundings import wall_clock

GROUPS: dict[str, frozenset[str]] = {
    "live": frozenset({"scheduled", "running", "paused", "retrying", "compensating"}),
    "parked": PARKED,
    "ended": ENDED,
}
STATUSES = (
    "scheduled",
    "running",
    "paused",
    "retrying",
    "compensating",
    "completed",
    "compensated",
    "cancelled",
    "dead",
    "stuck",
    "refused",
)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which instances are wanted; `limit` 0 for all."""

    statuses: list[str]
    name: str | None
    since: str | None
    limit: int


class View(NamedTuple):
    """What tells how an instance stands: the time, and what is held in each partition."""

    now: int
    held: Mapping[int, Pauses]

    def waits(self, listed: Listed) -> Waits | None:
        """What it waits for, where that is held."""
        return waits(listed.state, self.held[listed.partition])

    def phase(self, listed: Listed) -> str:
        """How it stands, in a word."""
        return "paused" if self.waits(listed) else phase(listed.state, self.now)


async def list_instances(url: str | None, target: str, filters: Filters, *, as_json: bool) -> None:
    """Fold the app's events, and show what is held of them."""
    now = wall_clock()
    wanted = statuses(filters.statuses)
    start = 0 if filters.since is None else since(filters.since, now)
    async with looking(url, target) as session:
        with progress(f"reading {session.app}.events") as report:
            held = await read_states(session.log, session.app, None, report)
        view = View(now, await read_pauses(session.log, session.app))
    chosen = [
        listed
        for listed in held
        if wanted & {listed.state.status, view.phase(listed)}
        and listed.state.started_at >= start
        and filters.name in (None, listed.state.definition.name)
    ]
    newest = nlargest(filters.limit or len(chosen), chosen, key=lambda one: one.state.started_at)
    if as_json:
        for listed in newest:
            write_line(_document(listed, view))
    else:
        show(*_lines(newest, chosen, len(held), view))


def statuses(asked: Iterable[str]) -> frozenset[str]:
    """The statuses and phases that are meant; all where none is named. Raises Complaint."""
    chosen: set[str] = set()
    for word in asked:
        if word not in GROUPS and word not in STATUSES:
            known = ", ".join((*STATUSES, *GROUPS))
            raise Complaint(f"--status: there is no status {word!r}. There are: {known}")
        chosen |= GROUPS.get(word, {word})
    return frozenset(chosen or STATUSES)


def _lines(
    newest: list[Listed], chosen: list[Listed], held: int, view: View
) -> Iterator[RenderableType]:
    if not chosen:
        yield Text(
            f"No instance of this kind among the {held} there are." if held else "Nothing yet."
        )
        return
    rows = [_row(listed, view) for listed in newest]
    yield table("id", "name", "status", "started", "steps", rows=rows, cut=True)
    counts = Counter(view.phase(listed) for listed in chosen)
    said = " · ".join(f"{counts[word]:,} {word}" for word in STATUSES if counts[word])
    hidden = len(chosen) - len(newest)
    more = f"   ({hidden:,} older ones not shown: --limit 0)" if hidden else ""
    yield Text()
    yield Text(said + more, "dim")


def _row(listed: Listed, view: View) -> tuple[RenderableType, ...]:
    state, now, held = listed.state, view.now, view.waits(listed)
    note = Text(held.why, "yellow") if held else _note(state, now)
    total, took = len(state.definition.steps), (state.ended_at or now) - state.started_at
    return (
        listed.id,
        state.definition.name,
        status(view.phase(listed)),
        short_time(state.started_at, now),
        Text(beat_note(state, now), "" if state.ended else "cyan")
        if state.beat
        else Text.assemble(f"{_done(state)}/{total} in {spoken(max(0, took))}  ", note),
    )


def _done(state: Instance) -> int:
    if not state.steps:
        return len(state.definition.steps) if state.status == "completed" else 0
    return sum(step.status == "completed" for step in state.steps)


def _note(state: Instance, now: int) -> Text:
    if state.unreadable >= 0:
        return Text("holds a fact that this version cannot read", "red")
    if step := parked_step(state):
        return Text(f"waits for a person at {step}: {_error(state)}", "red")
    later = [a for a in pending(state) if isinstance(a, Run | Undo) and a.not_before > now]
    if later:
        step = state.definition.steps[later[0].step].name
        if later[0].attempt == 1 and not _error(state):
            return Text(f"{step} {due(later[0].not_before, now)}", "yellow")
        return Text(f"{step} again {due(later[0].not_before, now)}: {_error(state)}", "yellow")
    return Text(_error(state))


def _error(state: Instance) -> str:
    errors = {s.name: e.error for s, e in zip(state.definition.steps, state.steps, strict=False)}
    waits = errors.get(parked_step(state))
    error = waits or state.error or next((e for e in errors.values() if e), None)
    return "" if error is None else f"{error.type}: {brief(error.message, 80)}"


def _document(listed: Listed, view: View) -> dict[str, Any]:
    state = listed.state
    return {
        "id": listed.id,
        "name": state.definition.name,
        "kind": state.definition.kind,
        "status": state.status,
        "phase": view.phase(listed),
        "key": state.key,
        "priority": state.priority,
        "tenant": state.tenant,
        "started_at": rfc3339(state.started_at),
        "ended_at": rfc3339(state.ended_at) if state.ended_at else None,
        "steps": len(state.definition.steps),
        "steps_completed": _done(state),
        "parked_at": parked_step(state) or None,
        "error": state.error,
        "partition": listed.partition,
    }
