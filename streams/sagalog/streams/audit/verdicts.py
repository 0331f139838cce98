"""One fact of a known life: whether it must count, and whether it did."""

from typing import Any, NamedTuple

from sagalog.schemas import facts as f
from sagalog.streams.audit.event import Event, Moment
from sagalog.streams.audit.findings import Findings
from sagalog.streams.audit.life import Kind, Life, Objection, Outcome
from sagalog.streams.audit.rules import RULES
from sagalog.streams.audit.writing import ours

USUAL = frozenset({"running", "completed"})
"""The statuses of most lives: one object for all of them."""


KEPT = 100
"""How many moments a schedule's timeline keeps: its first and the last ones."""


class Finished(NamedTuple):
    """What is kept of a life that completed and that only its retention keeps.

    `offset` is where it ended, `result` a digest.
    """

    run: str
    fingerprint: str
    retention: int
    ended_at: int
    offset: int
    result: bytes
    reached: frozenset[str] = USUAL
    end: str = "completed"


def objection_to(known: Life | Finished, event: Event) -> Objection | None:
    """Why the fact must not count; None where it must."""
    fact: Any = event.fact
    if isinstance(fact, f.Started | f.Refused | f.ScheduleStarted):
        return Objection("S1", "repeated", f"another first fact, of the life {fact.run}")
    if fact.run != known.run:
        said = f"{event.kind} of the life {fact.run}"
        return Objection("S11", "of another life", said)
    if isinstance(known, Finished):
        if isinstance(fact, f.Forgotten):
            return None
        kind: Kind = "repeated" if isinstance(fact, f.Completed) else "stale"
        return Objection("S1", kind, f"{event.kind} behind the end {known.end}")
    if known.unreadable >= 0:
        return Objection("S10", "unreadable", "it is parked at a fact that nobody can read")
    return RULES[type(fact)].objection(known, event)


class Verdicts:
    """Judges the facts of lives that are told in full."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def judge(self, life: Life, event: Event, *, counted: bool) -> bool:
        """Judge one fact, and take it; whether it was taken."""
        objection = objection_to(life, event)
        self._remember(life, event, counted=counted)
        if not counted and objection is not None:
            self._findings.tally.ignored[objection.kind] += 1
            return False
        if life.lost:
            return False
        if objection is not None:
            self._findings.about(life, objection.letter, f"{objection.why}, and it counts", event)
        elif not counted:
            said = f"{event.kind} is new and fits, and is passed over"
            self._findings.about(life, RULES[type(event.fact)].missed, said, event)
        else:
            self._take(life, event)
            return True
        life.lost = True  # the fold and the promises disagree: what follows cannot be told
        return False

    def _take(self, life: Life, event: Event) -> None:
        rule = RULES[type(event.fact)]
        for letter, sentence in rule.about(life, event):
            self._findings.about(life, letter, sentence, event)
        rule.take(life, event)
        life.reached.add(life.status)

    def _remember(self, life: Life, event: Event, *, counted: bool) -> None:
        life.moments.append(Moment(event, counted))
        if life.beat is not None and len(life.moments) > KEPT:
            del life.moments[1]
        key = call_of(event.fact)
        step = life.steps.get(key[1]) if key is not None else None
        if key is None or step is None or step.there or event.fact.run != life.run:
            return
        known = life.outcomes.get(key)
        if known is None or (counted and not known.counted):
            done = isinstance(event.fact, f.StepCompleted | f.StepCompensated)
            life.outcomes[key] = Outcome(event.offset, event.at, event.late, done, counted)
        if ours(event.source) and not step.spec.claimed:  # owners tell what callers did, too
            writer = (event.source, *key)
            if writer in life.writers:
                said = f"{event.source} told twice how attempt {key[3]} of {key[1]} ended"
                self._findings.about(life, "S8", said, event)
            life.writers.add(writer)


def call_of(fact: Any) -> tuple[str, str, int, int] | None:
    """The call that a fact tells the end of: phase, step, number of the undo, attempt."""
    match fact:
        case f.StepCompleted() | f.StepFailed():
            return "forward", fact.step, 0, fact.attempt
        case f.StepCompensated() | f.CompensationFailed():
            return "undo", fact.step, fact.number, fact.attempt
        case _:
            return None
