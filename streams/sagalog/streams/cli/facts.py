"""Each fact of a timeline in words: what happened, to which step, in which attempt, and more."""

from typing import Any, NamedTuple

from sagalog.schemas import facts as f
from sagalog.schemas.codec import rfc3339
from sagalog.schemas.envelope import Envelope, Poison
from sagalog.schemas.ids import letter_id
from sagalog.schemas.requests import Plan
from sagalog.streams.cli.durations import spoken
from sagalog.streams.cli.screen import brief
from sagalog.streams.cli.times import clock
from sagalog.streams.deadletters import short
from sagalog.streams.story import Moment


class Words(NamedTuple):
    """A fact in words, and the colour of what it means."""

    what: str
    step: str = ""
    attempt: str = ""
    more: str = ""
    colour: str = ""


def words(moment: Moment) -> Words:
    """The words for one moment."""
    message = moment.message
    if not isinstance(message, Envelope):
        reason = message.reason if isinstance(message, Poison) else f"unknown {message.type}"
        return Words("unreadable", more=reason, colour="red")
    fact = message.data
    match fact:
        case f.Started():
            return Words("started", more=_started(fact))
        case f.StepCompleted():
            return Words(
                "step completed", fact.step, str(fact.attempt), brief(fact.result), "green"
            )
        case f.StepProgressed():
            more = f"{fact.fraction:.0%} {fact.message}".rstrip()
            return Words("progress", fact.step, str(fact.attempt), more, "dim")
        case f.StepFailed():
            return Words("step failed", fact.step, str(fact.attempt), _failed(fact, moment), "red")
        case f.StepCompensated():
            return Words("undone", fact.step, _undo(fact), colour="magenta")
        case f.CompensationFailed():
            return Words("undo failed", fact.step, _undo(fact), _failed(fact, moment), "red")
        case f.StepReleased():
            more = f"{fact.how} by {fact.by or 'somebody'}{_result(fact)}"
            return Words("released", fact.step, str(fact.attempt), more, "yellow")
        case _:
            return _whole(fact, message.subject)


def _whole(fact: Any, instance: str) -> Words:
    """The words for facts about the instance as a whole."""
    match fact:
        case f.CancelRequested():
            reason = f": {fact.reason}" if fact.reason else ""
            return Words(
                "cancel requested", more=f"by {fact.by or 'somebody'}{reason}", colour="yellow"
            )
        case f.DeadlinePassed():
            return Words("deadline passed", colour="yellow")
        case f.CompensationRequested():
            return Words("undo requested", more="by its parent", colour="yellow")
        case f.ScheduleStarted() | f.ScheduleReplaced() | f.ScheduleFired():
            return _beat(fact)
        case f.Refused():
            return Words("refused", more="its undo came before its request", colour="magenta")
        case f.DeadLettered():
            letter = short(letter_id(instance, fact.run, fact.letter))
            return Words("dead letter", more=f"sagalog deadletters show {letter}", colour="red")
        case f.OutcomeDelivered():
            return Words("parent told", more=fact.outcome)
        case f.ClaimReleased() | f.ClaimExpired():
            gone = isinstance(fact, f.ClaimExpired)
            return Words("claim expired" if gone else "claim released", colour="yellow")
        case f.Taken():
            return Words("new owner", more=fact.owner, colour="dim")
        case _:
            return _end(fact)


def _end(fact: Any) -> Words:
    match fact:
        case f.Completed():
            return Words("completed", colour="bold green")
        case f.Compensated():
            return Words("compensated", more="every effect is undone", colour="bold magenta")
        case f.Cancelled():
            return Words("cancelled", more="every effect is undone", colour="bold magenta")
        case f.Forgotten():
            return Words("forgotten", more="its retention has passed", colour="dim")
        case _:
            return Words(f"no fact: {type(fact).__name__}", colour="red")


def _started(fact: f.Started) -> str:
    key = f" key {fact.key}" if fact.key else ""
    claim = f", run by its caller {fact.claim.by}" if fact.claim else ""
    return f"from {fact.lane} at {fact.lane_offset}{key}{claim}"


def plan(plan: Plan) -> str:
    """When a schedule is due, in a few words."""
    said = plan.every if plan.zone == "UTC" else f"{plan.every} in {plan.zone}"
    return said if plan.catch_up == "latest" else f"{said}, catching up {plan.catch_up}"


def _beat(fact: f.ScheduleStarted | f.ScheduleReplaced | f.ScheduleFired) -> Words:
    if isinstance(fact, f.ScheduleFired):
        return _fired(fact)
    what = "scheduled" if isinstance(fact, f.ScheduleStarted) else "replaced"
    return Words(what, more=f"{plan(fact.plan)}, from {fact.lane} at {fact.lane_offset}")


def _fired(fact: f.ScheduleFired) -> Words:
    after = f"next {rfc3339(fact.next_due)}" if fact.next_due else "never again"
    if not fact.fires:
        said = f"what was due at {rfc3339(fact.due)} is passed over; {after}"
        return Words("missed", more=said, colour="yellow")
    missed = "" if fact.fires == fact.due else f", the newest of those since {rfc3339(fact.due)}"
    return Words("fired", more=f"for {rfc3339(fact.fires)}{missed}; {after}", colour="green")


def _undo(fact: f.StepCompensated | f.CompensationFailed) -> str:
    return str(fact.attempt) if fact.number == 1 else f"{fact.attempt} of undo {fact.number}"


def _failed(fact: f.StepFailed | f.CompensationFailed, moment: Moment) -> str:
    said = f"{fact.error.type}: {brief(fact.error.message, 160)}"
    if fact.final:
        return f"{said} (for good)"
    wait = max(0, fact.retry_at - moment.time)
    free = "" if fact.counted else ", no attempt used up"
    return f"{said} (again at {clock(fact.retry_at)}, after {spoken(wait)}{free})"


def _result(fact: f.StepReleased) -> str:
    return f" with {brief(fact.result)}" if fact.how == "resolve" else ""
