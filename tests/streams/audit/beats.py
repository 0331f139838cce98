"""Schedules by hand: what a forger needs to write one."""

from typing import Any

from sagalog.schemas import facts as f
from sagalog.schemas.definition import Definition
from sagalog.schemas.ids import firing_key, instance_id, schedule_id
from sagalog.schemas.record import Record
from sagalog.schemas.requests import Occasion, Plan, RunOperation, Schedule
from tests.streams.audit.forgery import ALONE, Forgery

MINUTE = 60_000
FIRST = 1_020_000
"""The first full minute behind a forgery's beginning."""

PLAN = Plan("* * * * *", fingerprint="f")
SOURCE = "orders/0/owner1"
RUN_S = "owner1-s"


def asking(plan: Plan = PLAN, **fields: Any) -> Schedule:
    usual: dict[str, Any] = {"name": "a", "input": {"n": 1}, "fingerprint": "every minute"}
    return Schedule(**{**usual, "key": "k", "cause_time": 1_000_000, **fields}, plan=plan)


def schedule(log: Forgery, plan: Plan = PLAN, **fields: Any) -> None:
    """A schedule is asked for, and begins."""
    log.instance, log.run = schedule_id("", "a", "k"), RUN_S
    log.definition = Definition("operation", "a", ())
    asked = log.ask(asking(plan))
    log.fact(first(asked.offset, plan, **fields))


def first(offset: int = 0, plan: Plan = PLAN, **fields: Any) -> f.ScheduleStarted:
    usual: dict[str, Any] = {"name": "a", "plan": plan, "input": {"n": 1}, "lane": "normal"}
    more: dict[str, Any] = {"fingerprint": "every minute", "retention": 1000, "due": FIRST}
    said = {"run": RUN_S, "lane_offset": offset, "asked": 1_000_000, "key": "k"}
    return f.ScheduleStarted(**{**usual, **more, **said, **fields})


def request(log: Forgery, due: int, **fields: Any) -> RunOperation:
    usual: dict[str, Any] = {"name": "a", "input": {"n": 1}, "fingerprint": "f", "retention": 1000}
    more: dict[str, Any] = {"key": firing_key("k", due), "cause_time": due}
    occasion = Occasion(log.instance, log.run, due)
    return RunOperation(**{**usual, **more, "occasion": occasion, **fields})


def send(log: Forgery, due: int, subject: str = "", lane: str = "normal", **fields: Any) -> Record:
    """The request of a firing."""
    to = subject or instance_id("", "a", firing_key("k", due))
    return log.ask(request(log, due, **fields), lane, subject=to, source=SOURCE)


def fire(
    log: Forgery,
    due: int,
    fires: int | None = None,
    next_due: int | None = None,
    asked: int = 1_000_000,
) -> None:
    """The fact of a firing."""
    at = due if fires is None else fires
    following = (at or due) + MINUTE if next_due is None else next_due
    log.now = max(log.now, at, due)
    log.fact(f.ScheduleFired(log.run, due, at, following, asked))


def firing(log: Forgery, due: int) -> None:
    """A whole firing: request, fact, and what it started."""
    log.now = max(log.now, due)
    asked = send(log, due)
    fire(log, due)
    begin(log, asked, due)


def begin(log: Forgery, asked: Record, due: int) -> None:
    """What a firing started, from its first fact to its end."""
    kept = log.instance, log.run, log.definition
    key, occasion = firing_key("k", due), Occasion(log.instance, log.run, due)
    log.instance, log.run = instance_id("", "a", key), f"owner1-{due}"
    log.definition = ALONE
    log.fact(log.started(asked, key=key, occasion=occasion))
    log.done("a")
    log.fact(f.Completed(log.run))
    log.instance, log.run, log.definition = kept
