"""`sagalog purge`: what waits in a lane, or stands in a state, is cancelled; nothing vanishes."""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from typing import Any

import typer
from rich.text import Text

from sagalog.engine.instance import PARKED
from sagalog.engine.turning import can_turn
from sagalog.schemas.claims import Claim
from sagalog.schemas.codec import decode
from sagalog.schemas.definition import Priority
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.requests import Start
from sagalog.streams.backlog import peek, read_backlogs
from sagalog.streams.cli import logs
from sagalog.streams.cli.choosing import PAUSE, Choice, chosen, confirm_count, read, until_done
from sagalog.streams.cli.documents import write_json
from sagalog.streams.cli.reporting import Code
from sagalog.streams.cli.screen import progress, show
from sagalog.streams.cli.sessions import Asking, asking
from sagalog.streams.cli.starting import unowned
from sagalog.streams.history import Listed, States
from sagalog.streams.log import Place

AT_ONCE = 500
"""Cancels that are sent at the same time."""


@dataclass(frozen=True, slots=True)
class Purging:
    """What `purge` was told: a lane, or a choice. `timeout` in seconds."""

    target: str
    lane: Priority | None
    choice: Choice
    dry_run: bool
    yes: bool
    reason: str
    by: str
    timeout: float
    as_json: bool


@dataclass(frozen=True, slots=True)
class Purged:
    """What is to be cancelled by its name, what is left alone by the reason, what is done."""

    names: Counter[str]
    left: Counter[str]
    cancelled: int = 0
    waiting: int = 0


def perform(purging: Purging, url: str | None) -> None:
    """Do it, and end with the exit code that fits."""
    logs.configure(logging.WARNING)
    raise typer.Exit(asyncio.run(_purge(purging, url)))


async def _purge(purging: Purging, url: str | None) -> Code:
    async with asking(url, purging.target) as session:
        work = _lane if purging.lane else _instances
        purged = await work(session, purging)
        idle = purged.waiting > 0 and await unowned(session)
    _tell(purging, purged, idle=idle)
    return Code.NO if purged.waiting else Code.DONE


def _agreed(purging: Purging, purged: Purged, what: str) -> bool:
    count = purged.names.total()
    if purging.dry_run or not count:
        return False
    if not purging.yes:
        said = ", ".join(f"{number:,} {name}" for name, number in purged.names.most_common())
        confirm_count(f"This cancels {what}: {said}.", count)
    return True


# -- a lane


async def _lane(session: Asking, purging: Purging) -> Purged:
    assert purging.lane is not None, "a lane to purge"
    ids, ends, purged = await _unread(session, purging.lane)
    if not _agreed(purging, purged, f"what waits in the lane {purging.lane}"):
        return purged
    # What has come while the person typed was not counted, so it is not cancelled.
    await session.client.purge(purging.lane, purging.reason, by=purging.by, ends=ends)
    waiting = await _passed(session, purging, ends)
    states = await read(session)
    cancelled = sum(_is_purged(states.get(instance)) for instance in ids)
    return Purged(purged.names, purged.left, cancelled, waiting)


async def _unread(session: Asking, lane: str) -> tuple[set[str], dict[Place, int], Purged]:
    """What waits in a lane up to which ends, and is not known of yet."""
    states, ids = await read(session), set[str]()
    purged = Purged(Counter(), Counter())
    backlogs = await read_backlogs(session.log, session.app, await states.partitions(), [lane])
    depth = sum(backlog.depth for backlog in backlogs.values())
    with progress(f"reading {session.app}.{lane}") as report:
        looked = 0
        async for record in peek(session.log, backlogs.values()):
            looked += 1
            report(looked, depth)
            message = decode(record.value)
            if not isinstance(message, Envelope) or not isinstance(message.data, Start):
                continue
            if states.get(message.subject) is not None or message.subject in ids:
                continue
            if why := _not_purged(message.data):
                purged.left[why] += 1
                continue
            ids.add(message.subject)
            purged.names[message.data.name] += 1
    return ids, dict(backlogs[lane].ends), purged


def _not_purged(request: Start) -> str:
    if request.parent is not None:
        return "a saga waits for it: cancel the saga"
    return "its caller runs it" if isinstance(request, Claim) else ""


async def _passed(session: Asking, purging: Purging, ends: dict[Place, int]) -> int:
    """Wait until the lane is taken in up to `ends`; how much is not."""
    assert purging.lane is not None, "a lane to purge"
    deadline = asyncio.get_running_loop().time() + purging.timeout
    with progress("purging") as report:
        total = 0
        while True:
            seen = await read_backlogs(session.log, session.app, len(ends), [purging.lane])
            done = seen[purging.lane].done
            waiting = sum(max(0, end - done[place]) for place, end in ends.items())
            total = max(total, waiting)
            report(total - waiting, total)
            if not waiting or asyncio.get_running_loop().time() > deadline:
                return waiting
            await asyncio.sleep(PAUSE)


def _is_purged(listed: Listed | None) -> bool:
    error = listed.state.error if listed is not None else None
    return error is not None and error.type == "Purged"


# -- a state


async def _instances(session: Asking, purging: Purging) -> Purged:
    states, purged = await read(session), Purged(Counter(), Counter())
    turning = list[Listed]()
    for listed in await chosen(session, states, purging.choice):
        if why := _why_not(listed):
            purged.left[why] += 1
        else:
            turning.append(listed)
            purged.names[listed.state.definition.name] += 1
    if not _agreed(purging, purged, "instances"):
        return purged
    await _cancel(session, purging, turning)
    ids = [listed.id for listed in turning]
    waiting = await until_done(states, ids, _settled, purging.timeout)
    cancelled = sum(_is_cancelled(states, instance) for instance in ids)
    return Purged(purged.names, purged.left, cancelled, len(waiting))


def _why_not(listed: Listed) -> str:
    state = listed.state
    if state.ended:
        return "it has ended"
    if state.parent is not None:
        return "a saga waits for it: cancel the saga"
    if state.status in PARKED and state.cause:
        return "its undo has failed: `sagalog release` says what becomes of it"
    return "" if can_turn(state) else "it is turning back, or all its steps are completed"


async def _cancel(session: Asking, purging: Purging, turning: list[Listed]) -> None:
    with progress("cancelling") as report:
        for at in range(0, len(turning), AT_ONCE):
            some = turning[at : at + AT_ONCE]
            reason, by = purging.reason, purging.by
            await asyncio.gather(*(session.client.cancel(o.id, reason, by=by) for o in some))
            report(at + len(some), len(turning))


def _settled(listed: Listed | None) -> bool:
    if listed is None or listed.state.ended:
        return True
    return bool(listed.state.cause) and listed.state.status in PARKED


def _is_cancelled(states: States, instance: str) -> bool:
    listed = states.get(instance)
    return listed is not None and listed.state.status == "cancelled"


# -- what became of it


def _tell(purging: Purging, purged: Purged, *, idle: bool) -> None:
    if purging.as_json:
        write_json(_document(purging, purged))
        return
    for why, count in purged.left.most_common():
        show(Text(f"{count:,} left alone: {why}", "yellow"))
    if purging.dry_run:
        for name, count in purged.names.most_common():
            show(Text(f"{count:,} {name}"))
        show(Text(f"{purged.names.total():,} would be cancelled"))
        return
    show(Text(f"{purged.cancelled:,} cancelled"))
    if purged.waiting:
        why = "no pod runs" if idle else f"not within {purging.timeout:g} s"
        show(Text(f"{purged.waiting:,} not yet: {why}. The order is in the log, not lost", "red"))


def _document(purging: Purging, purged: Purged) -> dict[str, Any]:
    return {
        "lane": purging.lane,
        "dry_run": purging.dry_run,
        "matched": purged.names.total(),
        "names": dict(purged.names),
        "left_alone": dict(purged.left),
        "cancelled": purged.cancelled,
        "waiting": purged.waiting,
    }
