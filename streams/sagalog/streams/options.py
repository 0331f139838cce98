"""What may be said of a request beside its name and input: when, how urgent, how often."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypedDict

from sagalog.engine import cron
from sagalog.engine.errors import DeclarationError
from sagalog.engine.retry import Duration, milliseconds
from sagalog.schemas.definition import PRIORITIES, Kind, Priority
from sagalog.schemas.requests import CATCH_UPS, CatchUp, Plan

OnRepeat = Literal["join", "join-any", "refuse", "replace"]
"""What becomes of a request whose key is in use: it gets the first one's outcome (join: another
payload is a Conflict; join-any: whatever its payload), or it is always a Conflict (refuse).
A schedule can take the place of the one that there is (replace)."""

_ON_REPEAT: tuple[OnRepeat, ...] = ("join", "join-any", "refuse")


class Options(TypedDict, total=False):
    """The options of `start`, `submit` and their `_many`. Durations in seconds or timedeltas.

    key: the idempotency key; a repeat finds its first. on_repeat: what a repeat gets.
    priority: the lane, "high", "normal" or "low".
    delay, at: begin not before so long, or not before this time (with a time zone).
    deadline: turn back where it has not ended by then, counted from now.
    queue_limit: end as cancelled where it waited longer for its turn; 0 for ever.
    keep: how long it answers repeats after its end.
    confirm: wait for the first fact, and so raise Conflict and Refused here.
    every: again and again, at the times of a cron expression; `key` names the schedule, or
    else what it starts does. zone: whose time that is, one of IANA's. catch_up: what is
    started of that which was due while nobody worked: the "latest", "all" or "none".
    With every, keep and deadline are about each of the firings.
    """

    key: str | None
    on_repeat: OnRepeat
    priority: Priority
    delay: Duration | None
    at: datetime | None
    deadline: Duration | None
    queue_limit: Duration | None
    keep: Duration | None
    confirm: bool
    every: str | None
    zone: str
    catch_up: CatchUp


def fields_of(options: Options, now: int) -> Mapping[str, Any]:
    """The options as fields of a `Start`. Raises DeclarationError, which names the option."""
    deadline = _optional(options.get("deadline"), "deadline")
    priority = options.get("priority", "normal")
    _one_of(priority, PRIORITIES, "priority")
    repeat = options.get("on_repeat", "join")
    again = options.get("every") is not None
    _one_of(repeat, (*_ON_REPEAT, "replace") if again else _ON_REPEAT, "on_repeat")
    for option in ("zone", "catch_up"):
        if option in options and not again:
            raise DeclarationError(option, "is given without every", 'Give every="0 2 * * *" too.')
    return {
        "key": options.get("key"),
        "priority": priority,
        "deadline": None if deadline is None else now + deadline,
        "confirm": options.get("confirm", False),
        "not_before": _not_before(options, now),
        "queue_limit": _optional(options.get("queue_limit"), "queue_limit"),
        "retention": _optional(options.get("keep"), "keep"),
        "any_payload": repeat == "join-any",
        "cause_time": now,
    }


def plan_of(options: Options, fingerprint: str, kind: Kind) -> Plan:
    """How a schedule fires. Raises DeclarationError, which names the option."""
    every, zone = options.get("every") or "", options.get("zone", "UTC")
    cron.check(every, zone)
    catch_up = options.get("catch_up", "latest")
    _one_of(catch_up, CATCH_UPS, "catch_up")
    return Plan(
        every=every,
        zone=zone,
        kind=kind,
        fingerprint=fingerprint,
        catch_up=catch_up,
        lasting=_optional(options.get("deadline"), "deadline"),
        queue_limit=_optional(options.get("queue_limit"), "queue_limit"),
    )


def _not_before(options: Options, now: int) -> int | None:
    delay, at = options.get("delay"), options.get("at")
    if at is None:
        return None if delay is None else now + milliseconds(delay, "delay")
    if delay is not None:
        raise DeclarationError("at", "is given together with delay", "Give one of them.")
    if at.tzinfo is None:
        raise DeclarationError("at", f"{at} has no time zone", "Use datetime.now(UTC) + ...")
    return round(at.timestamp() * 1000)


def _optional(duration: Duration | None, field: str) -> int | None:
    return None if duration is None else milliseconds(duration, field)


def _one_of(value: str, known: tuple[str, ...], field: str) -> None:
    if value not in known:
        raise DeclarationError(field, f"{value!r} is none", f"Use one of {', '.join(known)}.")
