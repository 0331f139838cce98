"""Which ends may count, and what comes behind them; paired as in `forward`."""

from sagalog.streams.audit.event import Event
from sagalog.streams.audit.life import Kind, Life, Objection

Doubtful = Objection | None


def no_completed(life: Life, event: Event) -> Doubtful:
    """It completes when its every step has, unless it turned back or waits (rule 6)."""
    if life.end:
        return _again(life, "completed")
    if life.cause:
        return Objection("S5", "stale", "it completes though it has turned back")
    if life.beat is not None and life.beat.due:
        return Objection("S1", "stale", "it completes, and is due again")
    left = [step.name for step in life.steps.values() if step.done < 0]
    if left:
        return Objection("S1", "stale", f"it completes before {', '.join(left)}")
    if life.parked:
        return Objection("S1", "stale", "it completes while a person is waited for")
    return None


def take_completed(life: Life, event: Event) -> None:
    """It has ended."""
    life.end, life.ended_at, life.claim = "completed", event.at, None


def no_compensated(life: Life, event: Event) -> Doubtful:
    """It is compensated when every undo is done, unless somebody cancelled it."""
    return _no_turned_end(life, "compensated")


def take_compensated(life: Life, event: Event) -> None:
    """It has ended."""
    life.end, life.ended_at = "compensated", event.at


def no_cancelled(life: Life, event: Event) -> Doubtful:
    """The same, where somebody did."""
    return _no_turned_end(life, "cancelled")


def take_cancelled(life: Life, event: Event) -> None:
    """It has ended."""
    life.end, life.ended_at = "cancelled", event.at


def _again(life: Life, end: str) -> Objection:
    kind: Kind = "repeated" if life.end == end else "stale"
    return Objection("S1", kind, f"it is {end} behind its end {life.end}")


def _no_turned_end(life: Life, end: str) -> Doubtful:
    if life.end:
        return _again(life, end)
    if not life.cause:
        return Objection("S1", "stale", f"it is {end} though it has not turned back")
    if life.parked:
        return Objection("S1", "stale", f"it is {end} while a person is waited for")
    if life.todo:
        left = ", ".join(reversed(life.todo))
        return Objection("S3", "stale", f"it is {end} before {left} is undone")
    right = "cancelled" if life.cause == "cancel" else "compensated"
    if right != end:
        return Objection("S1", "stale", f"it is {end} and should be {right}")
    return None


def no_deadlettered(life: Life, event: Event) -> Doubtful:
    """A dead letter is told of once, behind its failure."""
    if event.fact.letter in life.letters:
        return None
    said = f"the dead letter {event.fact.letter} is told of, and none is due"
    return Objection("S9", "repeated", said)


def take_deadlettered(life: Life, event: Event) -> None:
    """The letter is there."""
    del life.letters[event.fact.letter]


def no_delivery(life: Life, event: Event) -> Doubtful:
    """An outcome is told to the parent once, and each undo once."""
    number = event.fact.number
    known = number <= life.undo_delivered if number else bool(life.delivered)
    if known:
        return Objection("S11", "repeated", f"its parent is told {event.fact.outcome} twice")
    return None


def take_delivery(life: Life, event: Event) -> None:
    """The parent knows."""
    if event.fact.number:
        life.undo_delivered = event.fact.number
    else:
        life.delivered = event.fact.outcome


def no_leaving(life: Life, event: Event) -> Doubtful:
    """It is forgotten when nothing is left to be done (rule 3)."""
    return None if life.closed else Objection("S1", "stale", "it is forgotten before it is over")
