"""Which ends of claims may count, and what they change (rule 12); paired as in `forward`."""

from collections.abc import Iterator

from sagalog.streams.audit.event import Event
from sagalog.streams.audit.life import Life, Objection

Doubtful = Objection | None


def no_release(life: Life, event: Event) -> Doubtful:
    """A claim is released once, while it is held."""
    return _not_held(life, event, "is released")


def take_release(life: Life, _: Event) -> None:
    """What is left is the owner's."""
    life.claim = None


def no_expiry(life: Life, event: Event) -> Doubtful:
    """A claim expires once, while it is held."""
    return _not_held(life, event, "expires")


def take_expiry(life: Life, _: Event) -> None:
    """What was ready has perhaps been done, and is called once more."""
    life.claim = None
    for step in life.steps.values():
        if step.ready >= 0 and step.done < 0 and not step.failed:
            step.attempt, step.doubt = step.attempt + 1, True


def about_expiry(life: Life, event: Event) -> Iterator[tuple[str, str]]:
    """Nobody else may run its steps before the lease has passed, but for a tenth of it."""
    assert life.claim is not None, "it counted"
    passed = event.at - life.born_at
    if passed < life.claim.lease * 9 // 10:
        yield "S7", f"its claim expires after {passed} ms, and was granted for {life.claim.lease}"


def _not_held(life: Life, event: Event, what: str) -> Doubtful:
    number = event.fact.number
    if life.end:
        return Objection("S1", "stale", f"claim {number} {what} behind the end {life.end}")
    if life.claim is None or number != 1:
        return Objection("S7", "repeated", f"claim {number} {what}, and nobody holds it")
    return None
