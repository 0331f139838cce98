"""Schedules: how one is folded, what is due, and the request that each firing sends."""

from typing import TYPE_CHECKING, Any

import orjson

from sagalog.engine import cron
from sagalog.engine.errors import DeclarationError
from sagalog.engine.instance import ENDED, Beat, Instance
from sagalog.engine.payload import kept
from sagalog.schemas import facts as f
from sagalog.schemas.definition import Definition
from sagalog.schemas.ids import firing_key, instance_id
from sagalog.schemas.requests import Occasion, RunOperation, Schedule, StartSaga

if TYPE_CHECKING:
    from sagalog.engine.evolve import Here

LATE = 60_000
"""Milliseconds by which a firing may come late and is not missed: where none are caught up."""

SHORTEST = 60_000
"""Milliseconds for which a firing is kept at the least: one that is late by more is passed over."""


def check(retention: int) -> None:
    """Raise DeclarationError where firings would be passed over before anybody can start them."""
    if retention < SHORTEST:
        said = f"{retention / 1000:g} seconds are too short for a schedule: it would never start"
        raise DeclarationError("keep", said, f"Give {SHORTEST // 1000} or more.")


# -- the fold


def started(fact: f.ScheduleStarted, here: "Here") -> Instance | None:
    """A schedule's life begins, unless its request has had one (rule 5)."""
    if fact.lane_offset < here.low.get(fact.lane, 0):
        return None
    return Instance(
        run=fact.run,
        status="running",
        definition=Definition(fact.plan.kind, fact.name, ()),
        input=kept(fact.input),
        fingerprint=fact.fingerprint,
        offset=here.offset,
        retention=fact.retention,
        started_at=here.time,
        priority=fact.priority,
        key=fact.key,
        tenant=fact.tenant,
        traceparent=fact.traceparent,
        reply_to=fact.reply_to,
        confirm=fact.confirm,
        beat=Beat(fact.plan, fact.due, fact.asked),
    )


def fired(state: Instance, fact: f.ScheduleFired, here: "Here") -> Instance:
    """The next one is due; only the firing that was set counts (rule 11)."""
    beat = state.beat
    if beat is None or state.status != "running" or not beat.due:
        return state
    if (fact.due, fact.asked) != (beat.due, beat.asked):
        return state
    passed = max(fact.due, fact.fires)
    if 0 < fact.next_due <= passed:
        return state  # no time comes twice
    last = fact.fires or beat.last
    return state._replace(beat=beat._replace(due=fact.next_due, last=last, passed=passed))


def replaced(state: Instance, fact: f.ScheduleReplaced, here: "Here") -> Instance:
    """A newer request's plan; it brings back what had ended."""
    beat = state.beat
    if beat is None or fact.asked <= beat.asked or state.status == "compensating":
        return state
    if 0 < fact.due <= beat.passed:
        return state
    return state._replace(
        run=fact.life if state.ended else state.run,
        status="running",
        cause="",
        ended_at=0,
        result=None,
        input=kept(fact.input),
        fingerprint=fact.fingerprint,
        retention=fact.retention,
        priority=fact.priority,
        beat=beat._replace(plan=fact.plan, due=fact.due, asked=fact.asked),
    )


def completed(state: Instance, here: "Here") -> Instance:
    """It ends by itself where it is never due again."""
    if state.status != "running" or state.beat is None or state.beat.due:
        return state
    return state._replace(status="completed", ended_at=here.time)


def gives_way(state: Instance, request: Schedule) -> bool:
    """Whether a request for a schedule that there is takes its place, or begins it anew.

    A request that is older than what the schedule has, or as old, is one that was sent again.
    """
    beat = state.beat
    if beat is None or state.unreadable >= 0 or (request.cause_time or 0) <= beat.asked:
        return False
    if state.status in ENDED:
        return True
    return request.replaces and request.fingerprint != state.fingerprint


# -- what the writer reckons


def firing(state: Instance, due: int, now: int) -> tuple[int, int]:
    """Of what has been due since `due`, what is started at `now`, and when the next is due.

    The first is 0 where all is passed over: missed, and not wanted, or missed so long ago that
    its request would be refused, since nobody knows any more whether it was sent (rule 10).
    """
    assert state.beat is not None, "a firing of what is no schedule"
    plan = state.beat.plan
    every, zone = plan.every, plan.zone
    oldest = now - state.retention + state.retention // 10
    fires = due if plan.catch_up == "all" else cron.newest(every, zone, due, now)
    if plan.catch_up == "all" and due < oldest:
        fires = cron.following(every, zone, oldest - 1)
    following = cron.following(every, zone, min(fires, now)) if fires else 0
    if plan.catch_up == "none" and now - fires > LATE:
        return 0, following
    if fires < oldest or fires > now:
        return 0, cron.following(every, zone, now)
    return fires, following


def request(
    instance: str, state: Instance, fires: int, now: int
) -> tuple[str, StartSaga | RunOperation]:
    """What the firing for `fires` starts: its id, and its request."""
    assert state.beat is not None, "a firing of what is no schedule"
    plan, name = state.beat.plan, state.definition.name
    key = firing_key(state.key or name, fires)
    said: dict[str, Any] = {
        "name": name,
        "input": orjson.Fragment(state.input),
        "fingerprint": plan.fingerprint,
        "key": key,
        "priority": state.priority,
        "deadline": None if plan.lasting is None else now + plan.lasting,
        "retention": state.retention,
        "tenant": state.tenant,
        "traceparent": state.traceparent,
        "cause_time": fires,
        "queue_limit": plan.queue_limit,
        "occasion": Occasion(instance, state.run, fires),
    }
    child = instance_id(state.tenant, name, key)
    if plan.kind == "saga":
        return child, StartSaga(**said, steps=plan.steps)
    return child, RunOperation(**said)
