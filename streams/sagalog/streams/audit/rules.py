"""For each type of fact: why it must not count, what it does, and what else is to be said of it."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from sagalog.schemas import facts as f
from sagalog.streams.audit import backward, beats, claims, ending, forward, scruples
from sagalog.streams.audit.event import Event
from sagalog.streams.audit.life import Life, Objection


def _none(life: Life, event: Event) -> Iterable[scruples.Scruple]:
    return ()


class Rule(NamedTuple):
    """`missed` is the invariant that is broken where the fact should count and does not."""

    objection: Callable[[Life, Event], Objection | None]
    take: Callable[[Life, Event], None]
    missed: str
    about: Callable[[Life, Event], Iterable[scruples.Scruple]] = _none


def _leave(life: Life, event: Event) -> None:
    """Nothing of it is left to be changed."""


RULES: dict[type[Any], Rule] = {
    f.StepCompleted: Rule(
        forward.no_completion, forward.take_completion, "S7", scruples.about_completion
    ),
    f.StepProgressed: Rule(forward.no_progress, forward.take_progress, "S11"),
    f.StepFailed: Rule(forward.no_failure, forward.take_failure, "S6", scruples.about_failure),
    f.StepReleased: Rule(forward.no_release, forward.take_release, "S6"),
    f.ClaimReleased: Rule(claims.no_release, claims.take_release, "S7"),
    f.ClaimExpired: Rule(claims.no_expiry, claims.take_expiry, "S7", claims.about_expiry),
    f.CancelRequested: Rule(forward.no_cancel, forward.take_cancel, "S5"),
    f.DeadlinePassed: Rule(forward.no_deadline, forward.take_deadline, "S5"),
    f.StepCompensated: Rule(backward.no_undo, backward.take_undo, "S3"),
    f.CompensationFailed: Rule(
        backward.no_undo_failure, backward.take_undo_failure, "S6", scruples.about_undo_failure
    ),
    f.CompensationRequested: Rule(backward.no_parents_undo, backward.take_parents_undo, "S3"),
    f.ScheduleFired: Rule(beats.no_firing, beats.take_firing, "S11", beats.about_firing),
    f.ScheduleReplaced: Rule(beats.no_replacing, beats.take_replacing, "S7", beats.about_due),
    f.Completed: Rule(ending.no_completed, ending.take_completed, "S1"),
    f.Compensated: Rule(ending.no_compensated, ending.take_compensated, "S1"),
    f.Cancelled: Rule(ending.no_cancelled, ending.take_cancelled, "S1"),
    f.DeadLettered: Rule(ending.no_deadlettered, ending.take_deadlettered, "S9"),
    f.OutcomeDelivered: Rule(
        ending.no_delivery, ending.take_delivery, "S3", scruples.about_delivery
    ),
    f.Forgotten: Rule(ending.no_leaving, _leave, "S10", scruples.about_leaving),
}
