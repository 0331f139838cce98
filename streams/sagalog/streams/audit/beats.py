"""Which facts of schedules may count, and what their writer had to reckon; as in `forward`.

When a schedule is due is reckoned here anew, from the cron expression in its log.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim

from sagalog.streams.audit.event import Event
from sagalog.streams.audit.life import Beat, Kind, Life, Objection
from sagalog.streams.audit.scruples import Scruple

Doubtful = Objection | None


def no_firing(life: Life, event: Event) -> Doubtful:
    """A firing counts for the time that was set, until the schedule ends (rule 11)."""
    beat, due = life.beat, event.fact.due
    if beat is None:
        return Objection("S12", "stale", "it fires, and is no schedule")
    if life.end or life.cause:
        return Objection("S1", "stale", f"it fires though it is {life.status}")
    if due == beat.due and event.fact.asked != beat.asked:
        return Objection("S11", "stale", "it fires by a plan that is not its own any more")
    if due != beat.due:
        kind: Kind = "repeated" if due < beat.due else "stale"
        return Objection("S11", kind, f"it fires for {due}, and {beat.due} is set")
    if 0 < event.fact.next_due <= max(due, event.fact.fires):
        return Objection("S11", "stale", f"{event.fact.next_due} is due again behind {due}")
    return None


def take_firing(life: Life, event: Event) -> None:
    """The next time is set."""
    assert life.beat is not None, "a firing of what is no schedule"
    life.beat.due = event.fact.next_due
    life.beat.passed = max(event.fact.due, event.fact.fires)


def about_firing(life: Life, event: Event) -> Iterator[Scruple]:
    """It fires at a time of its plan, not before that has come, and forgets none to come."""
    fact, beat = event.fact, life.beat
    assert beat is not None, "a firing of what is no schedule"
    now = event.written()
    if fact.fires and fact.fires != fact.due and not _is_due(beat, fact.fires):
        yield "S12", f"it fires for {fact.fires}, and is not due then"
    if fact.fires and fact.fires < fact.due:
        yield "S11", f"it fires for {fact.fires}, before {fact.due}, which is set"
    if now is not None and now < max(fact.due, fact.fires):
        yield "S6", f"it fires {max(fact.due, fact.fires) - now} ms early"
    after = fact.fires or now
    if after is not None:
        yield from _next(beat, after, fact.next_due, now, passed=not fact.fires)


def _next(beat: Beat, after: int, said: int, now: int | None, *, passed: bool) -> Iterator[Scruple]:
    """What comes next is the first behind what was started, or passed over."""
    first = following(beat, after)
    late = passed and now is not None and said <= now
    if said != first and not (late and _is_due(beat, said)):
        yield "S6", f"it is due next at {said}, and its plan says {first}"


def no_replacing(life: Life, event: Event) -> Doubtful:
    """Another plan counts where it was asked for later, and not while it is turning back."""
    beat = life.beat
    if beat is None:
        return Objection("S12", "stale", "it is replaced, and is no schedule")
    if life.cause and not life.end:
        return Objection("S5", "stale", "it is replaced while it is turning back")
    if event.fact.asked <= beat.asked:
        said = f"it is replaced by what was asked for at {event.fact.asked}, not after {beat.asked}"
        return Objection("S7", "repeated", said)
    if 0 < event.fact.due <= beat.passed:
        return Objection("S11", "stale", f"{event.fact.due} is due again behind {beat.passed}")
    return None


def take_replacing(life: Life, event: Event) -> None:
    """The plan is another one; what had ended begins again."""
    fact, beat = event.fact, life.beat
    assert beat is not None, "another plan for what is no schedule"
    life.run = fact.life if life.end else life.run
    life.end, life.ended_at, life.cause = "", 0, ""
    life.input, life.fingerprint, life.priority = fact.input, fact.fingerprint, fact.priority
    life.retention = fact.retention
    plans = [*beat.plans, (fact.plan, fact.input, fact.priority, fact.retention)]
    runs = {*beat.runs, life.run}
    life.beat = Beat(fact.plan, fact.due, fact.asked, plans, runs, beat.passed)


def about_due(life: Life, event: Event) -> Iterator[Scruple]:
    """A new plan is due at one of its times."""
    fact = event.fact
    if not _is_due(Beat(fact.plan, fact.due, fact.asked, [], set()), fact.due):
        yield "S6", f"it is due at {fact.due}, which is no time of its plan"


def _is_due(beat: Beat, at: int) -> bool:
    return following(beat, at - 1) == at


def following(beat: Beat, after: int) -> int:
    """The first time of a plan after `after` (ms); 0 for never."""
    zone = UTC if beat.plan.zone == "UTC" else ZoneInfo(beat.plan.zone)
    for moment in CronSim(beat.plan.every, datetime.fromtimestamp(after // 1000, zone)):
        at = round(moment.timestamp() * 1000)
        if at > after:
            return at
    return 0
