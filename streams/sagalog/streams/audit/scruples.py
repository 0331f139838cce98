"""What a fact says that counts: whether its writer decided as the definition has it."""

from collections.abc import Iterator
from typing import NamedTuple

from sagalog.schemas import facts as f
from sagalog.schemas.definition import RetrySpec
from sagalog.streams.audit.event import Event
from sagalog.streams.audit.life import Life

FOR_GOOD = frozenset({"terminal", "invalid", "cancelled"})

TURNED = frozenset({"compensated", "cancelled", "refused"})

Scruple = tuple[str, str]
"""An invariant's letter, and a sentence."""


class Tries(NamedTuple):
    """How far the trying of a step, or of one undo, has got before a failure."""

    policy: RetrySpec
    attempt: int
    spent: int
    down_since: int
    operation: str


def about_completion(life: Life, event: Event) -> Iterator[Scruple]:
    """An attempt that was never due has no result."""
    step = life.steps[event.fact.step]
    if not step.there and not 1 <= event.fact.attempt <= step.attempt:
        said = f"attempt {event.fact.attempt} of {step.name} completes"
        yield "S6", f"{said}, and no more than {step.attempt} was due"


def about_failure(life: Life, event: Event) -> Iterator[Scruple]:
    """What is tried again, how often and when, is the policy's (S6)."""
    fact, step = event.fact, life.steps[event.fact.step]
    if step.there:
        if not fact.final:
            yield "S6", f"{step.name} runs elsewhere, and is to be tried again from here"
        return
    if life.claim is not None and not step.spec.after:
        if not fact.final:
            yield "S6", f"{step.name} failed in its caller, and is to be tried again"
        return
    tries = Tries(step.spec.retry, step.attempt, step.spent, step.down_since, step.spec.operation)
    yield from _tried(step.name, tries, event)


def about_undo_failure(life: Life, event: Event) -> Iterator[Scruple]:
    """The same for an undo."""
    step = life.steps[event.fact.step]
    if not step.there:
        tries = Tries(
            step.spec.undo_retry,
            step.undo_attempt,
            step.undo_spent,
            step.undo_down_since,
            step.spec.undo or "",
        )
        yield from _tried(f"the undo of {step.name}", tries, event)


def _tried(what: str, tries: Tries, event: Event) -> Iterator[Scruple]:
    fact: f.StepFailed | f.CompensationFailed = event.fact
    away = fact.error.kind == "unavailable"
    if fact.counted == away:
        yield "S6", f"{what} was {fact.error.kind}, and counts as {int(fact.counted)} attempts"
    final = _must_be_final(tries, event)
    if final is not None and final != fact.final:
        most = tries.policy.max_attempts
        spent = f"{tries.spent + (not away)} of {most} attempts are spent"
        goes = "gives up" if fact.final else "is tried again"
        yield "S6", f"{what} {goes} after {fact.error.kind}, and {spent}"
    now = event.written()
    if not fact.final and now is not None:
        yield from _waits(what, tries, fact.retry_at - now, away=away)


def _must_be_final(tries: Tries, event: Event) -> bool | None:
    """Whether the policy ends the trying here; None where nobody can say."""
    kind = event.fact.error.kind
    if kind in FOR_GOOD:
        return True
    if kind != "unavailable":
        return tries.spent + 1 >= tries.policy.max_attempts
    now = event.written()
    if now is None:
        return None
    patient = now - (tries.down_since or now) < tries.policy.give_up_after
    if not patient and tries.operation in event.held:
        return None  # it is counted from when the operation was let go, as the writer had read
    return not patient


def _waits(what: str, tries: Tries, wait: int, *, away: bool) -> Iterator[Scruple]:
    policy, failures = tries.policy, tries.attempt if away else tries.spent + 1
    try:
        longest = min(policy.first * policy.factor ** (failures - 1), policy.longest)
    except OverflowError:
        longest = policy.longest
    if not round(longest * (1 - policy.jitter)) <= wait <= round(longest):
        yield "S6", f"{what} waits for {wait} ms, and its policy says {round(longest)} ms"


def about_delivery(life: Life, event: Event) -> Iterator[Scruple]:
    """A parent is told what the child has come to, when it has (rule 10)."""
    fact = event.fact
    if fact.number:
        if fact.outcome != "compensated" or fact.number > life.undo_number:
            yield "S3", f"its parent was told {fact.outcome} of undo {fact.number}, never asked for"
        elif not life.reached & TURNED:
            yield "S1", f"its parent was told of undo {fact.number}, and it is {life.status}"
    elif not life.reached & ({"completed"} if fact.outcome == "completed" else TURNED):
        yield "S1", f"its parent was told {fact.outcome}, and it is {life.status}"


def about_leaving(life: Life, event: Event) -> Iterator[Scruple]:
    """It is kept for its retention, by the log's time (rule 5)."""
    kept = event.at - life.ended_at
    if kept < life.retention:
        yield "S7", f"it is forgotten {kept} ms behind its end, and is kept for {life.retention} ms"
