"""Which facts about going forward may count, and what they change.

Each fact has a pair: `no_...` objects where it must not count, `take_...` is what it does.
"""

from sagalog.schemas.facts import StepProgressed
from sagalog.streams.audit.event import Event
from sagalog.streams.audit.life import Letter, Life, Objection, Step, letter_name

Doubtful = Objection | None


def no_completion(life: Life, event: Event) -> Doubtful:
    """A completion counts once for a step that was ready, from any attempt (rule 9)."""
    name = event.fact.step
    if life.end in ("completed", "refused"):
        return Objection("S1", "stale", f"{name} completes behind the end {life.end}")
    step = life.steps.get(name)
    if step is None:
        return _unknown(name)
    if step.done >= 0:
        return Objection("S11", "repeated", f"{name} completes twice")
    return _too_early(life, step)


def take_completion(life: Life, event: Event) -> None:
    """The step is done; behind the turn it is one more to undo."""
    step = life.steps[event.fact.step]
    _done(step, event)
    if life.cause:
        life.orphaned(step)
        return
    _advance(life, step, event)


def _done(step: Step, event: Event) -> None:
    step.done, step.done_at = event.offset, event.at
    step.failed, step.result = False, event.fact.result


def _advance(life: Life, step: Step, event: Event) -> None:
    life.order.append(step.name)
    life.open_next(event)
    life.resume()


def _unknown(name: str) -> Objection:
    return Objection("S12", "stale", f"it has no step {name!r}")


def _too_early(life: Life, step: Step) -> Doubtful:
    if step.ready >= 0:
        return None
    waits = ", ".join(life.waits_for(step)) or "what it waits for"
    return Objection("S2", "stale", f"{step.name} has an outcome before {waits} completed")


def no_progress(life: Life, event: Event) -> Doubtful:
    """Progress counts for the call that is due, each report once and in their order."""
    fact = event.fact
    step = life.steps.get(fact.step)
    if step is None:
        return _unknown(fact.step)
    if life.end or life.cause or step.done >= 0 or step.failed:
        return Objection("S5", "stale", f"{step.name} is over, and is said to be further")
    early = _too_early(life, step)
    if early is not None:
        return early
    if fact.attempt != step.attempt:
        said = f"attempt {fact.attempt} of {step.name} is further, and {step.attempt} is due"
        return Objection("S6", "stale", said)
    if fact.number <= step.progress:
        return Objection("S11", "repeated", f"{step.name} is at report {step.progress} already")
    return None


def take_progress(life: Life, event: Event) -> None:
    """It is the newest report; older ones need not stand in a timeline."""
    step = life.steps[event.fact.step]
    step.progress = event.fact.number
    former = life.moments[-2].event.fact if len(life.moments) > 1 else None
    if isinstance(former, StepProgressed) and former.step == step.name:
        del life.moments[-2]


def no_failure(life: Life, event: Event) -> Doubtful:
    """A failure counts for the attempt that is due, and not behind the turn."""
    fact = event.fact
    step = life.steps.get(fact.step)
    if life.end:
        return Objection("S1", "stale", f"{fact.step} fails behind the end {life.end}")
    if step is None:
        return _unknown(fact.step)
    early = _too_early(life, step)
    if early is not None:
        return early
    if step.done >= 0:
        return Objection("S11", "stale", f"{step.name} fails behind its completion")
    if step.failed or fact.attempt < step.attempt:
        said = f"attempt {fact.attempt} of {step.name} fails, and that is over"
        return Objection("S6", "repeated", said)
    if life.cause:
        return Objection("S5", "stale", f"{step.name} fails behind the turn")
    if fact.attempt > step.attempt:
        said = f"attempt {fact.attempt} of {step.name} fails, and attempt {step.attempt} is due"
        return Objection("S6", "stale", said)
    return None


def take_failure(life: Life, event: Event) -> None:
    """Another attempt is due; or it is final, and the life turns back or waits for a person."""
    fact, step = event.fact, life.steps[event.fact.step]
    step.spent += fact.counted
    step.doubt = step.doubt or fact.error.kind in ("timeout", "invalid")
    away = fact.error.kind == "unavailable"
    step.down_since = (step.down_since or event.at) if away else 0
    step.progress = 0
    if not fact.final:
        step.attempt += 1
        return
    step.failed = True
    step.doubt = step.doubt or event.taken > step.ready
    life.error = fact.error
    if not step.there or fact.error.kind == "timeout":
        name = letter_name(step, 0, fact.attempt)
        life.letters[name] = Letter(event.offset, step.name, 0, fact.attempt, fact.error)
    if _waits(life, step, fact.error.kind):
        life.parked = True
    else:
        life.turn("failure", event)


def _waits(life: Life, step: Step, kind: str) -> bool:
    """Whether a final failure waits for a person."""
    if kind == "unavailable" or (step.spec.claimed and step.spec.after):
        return True
    if life.alone:
        return life.parent is None
    return step.spec.exhausted == "park" and kind != "terminal"


def no_cancel(life: Life, event: Event) -> Doubtful:
    """A cancel counts until the last step has completed, or the life turned back."""
    return _no_turn(life, "it is cancelled")


def take_cancel(life: Life, event: Event) -> None:
    """The life turns back."""
    life.turn("cancel", event)


def no_deadline(life: Life, event: Event) -> Doubtful:
    """A deadline counts if it is the one that was set (rule 11)."""
    if event.fact.due != life.deadline:
        said = f"a deadline of {event.fact.due} passes, and it has {life.deadline}"
        return Objection("S5", "stale", said)
    return _no_turn(life, "its deadline passes")


def take_deadline(life: Life, event: Event) -> None:
    """The life turns back."""
    life.turn("deadline", event)


def _no_turn(life: Life, what: str) -> Doubtful:
    if life.end:
        return Objection("S1", "stale", f"{what} behind the end {life.end}")
    if life.cause:
        return Objection("S11", "repeated", f"{what} though it has turned back already")
    if life.all_done:
        return Objection("S5", "stale", f"{what} though its last step has completed")
    if life.claim is not None:
        return Objection("S5", "stale", f"{what} while its caller runs it")
    return None


def no_release(life: Life, event: Event) -> Doubtful:
    """A release counts for a step that waits for a person just there."""
    fact = event.fact
    step = life.steps.get(fact.step)
    if step is None:
        return _unknown(fact.step)
    if not life.parked:
        return Objection("S6", "stale", f"{step.name} is released, and nobody is waited for")
    if life.cause:
        at = (step.number, step.undo_attempt) if life.todo[-1:] == [step.name] else None
    else:
        never = fact.how == "retry" and step.there
        at = (0, step.attempt) if step.failed and not never else None
    if at != (fact.number, fact.attempt):
        said = f"{step.name} is released at {(fact.number, fact.attempt)}, and waits at {at}"
        return Objection("S6", "stale", said)
    return None


def take_release(life: Life, event: Event) -> None:
    """A person's word: the step, or its undo, is tried again or counts as done."""
    fact, step = event.fact, life.steps[event.fact.step]
    if life.cause:
        _release_undo(life, step, fact.how)
    elif fact.how == "retry":
        step.attempt, step.spent, step.down_since = step.attempt + 1, 0, 0
        step.progress = 0
        step.failed, step.ready, step.ready_at = False, event.offset, event.at
        life.resume()
    else:
        _done(step, event)
        step.by_hand = True
        _advance(life, step, event)


def _release_undo(life: Life, step: Step, how: str) -> None:
    if how != "retry":
        step.undone_by_hand = True
        life.undone()
        return
    step.undo_attempt, step.undo_spent, step.undo_down_since = step.undo_attempt + 1, 0, 0
    life.parked = False
