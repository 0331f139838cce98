"""Which facts about turning back may count, and what they change; paired as in `forward`."""

from sagalog.streams.audit.event import Event
from sagalog.streams.audit.life import Letter, Life, Objection, Step, letter_name

Doubtful = Objection | None


def no_undo(life: Life, event: Event) -> Doubtful:
    """An undo counts once, for the step that is the next one to undo (S3, S4)."""
    fact = event.fact
    step = life.steps.get(fact.step)
    if step is None:
        return Objection("S12", "stale", f"it has no step {fact.step!r}")
    if not life.cause:
        return Objection("S5", "stale", f"{step.name} is undone, and it has not turned back")
    if step.name not in life.todo:
        return _needless(step, fact.number)
    if fact.number != step.number:
        said = f"undo {fact.number} of {step.name} is told, and undo {step.number} is due"
        return Objection("S11", "repeated" if fact.number < step.number else "stale", said)
    if life.todo[-1] != step.name:
        due = life.todo[-1]
        return Objection("S4", "stale", f"{step.name} is undone before {due}, which comes first")
    return None


def _needless(step: Step, number: int) -> Objection:
    if step.number and number <= step.number:
        return Objection("S11", "repeated", f"undo {number} of {step.name} is told twice")
    said = f"{step.name} is undone, and it neither completed nor perhaps did"
    return Objection("S3", "stale", said)


def take_undo(life: Life, event: Event) -> None:
    """The next one is due."""
    life.undone()


def no_undo_failure(life: Life, event: Event) -> Doubtful:
    """A failed undo counts for the undo and the attempt that are due."""
    fact = event.fact
    objection = no_undo(life, event)
    if objection is not None:
        return objection
    step = life.steps[fact.step]
    if life.parked:
        said = f"an undo of {step.name} fails, and a person is waited for already"
        return Objection("S6", "repeated", said)
    if fact.attempt != step.undo_attempt:
        due = f"attempt {step.undo_attempt} is due"
        said = f"attempt {fact.attempt} to undo {step.name} fails, and {due}"
        return Objection("S6", "repeated" if fact.attempt < step.undo_attempt else "stale", said)
    return None


def take_undo_failure(life: Life, event: Event) -> None:
    """Another attempt is due; or it is final, and a person is waited for."""
    fact, step = event.fact, life.steps[event.fact.step]
    step.undo_spent += fact.counted
    away = fact.error.kind == "unavailable"
    step.undo_down_since = (step.undo_down_since or event.at) if away else 0
    if not fact.final:
        step.undo_attempt += 1
        return
    name = letter_name(step, fact.number, fact.attempt)
    life.letters[name] = Letter(event.offset, step.name, fact.number, fact.attempt, fact.error)
    life.parked = True


def no_parents_undo(life: Life, event: Event) -> Doubtful:
    """A parent's undo counts for a child, each number once."""
    if life.parent is None:
        return Objection("S12", "stale", "its parent undoes it, and it has none")
    if event.fact.number <= life.undo_number:
        said = f"undo {event.fact.number} is asked for twice by its parent"
        return Objection("S11", "repeated", said)
    return None


def take_parents_undo(life: Life, event: Event) -> None:
    """The child turns back, even where it had completed; unless it has already."""
    life.undo_number = event.fact.number
    if not life.cause:
        life.turn("parent", event)
