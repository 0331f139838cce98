"""Whether a request has landed: the log shows what became of it, or why nothing had to."""

from collections.abc import Mapping

from sagalog.schemas.facts import CancelRequested, CompensationRequested
from sagalog.schemas.requests import Cancel, Compensate, Start
from sagalog.schemas.topics import DAY
from sagalog.streams.audit.book import Book
from sagalog.streams.audit.lane import Ask, Lane
from sagalog.streams.audit.life import Life


class Landing:
    """Judges requests by the lives that they are about.

    `learn` is told of each life, since an app's retention stands nowhere else in the log;
    `kept` is each app's own, in ms, where it is known.
    """

    def __init__(self, kept: Mapping[str, int]) -> None:
        self._kept = kept
        self._retentions: dict[tuple[str, str], int] = {}

    def learn(self, life: Life) -> None:
        """A life tells how long its like is kept, unless its own request said otherwise."""
        like = life.app, life.definition.name
        self._retentions[like] = min(life.retention, self._retentions.get(like, life.retention))

    def landed(self, book: Book, lane: Lane, ask: Ask) -> bool:
        """Whether nothing is owed to the request (any more)."""
        known = book.lives.get(ask.instance)
        exists = ask.instance in book.fold.states
        if isinstance(ask.request, Start):
            return exists or self._too_old(lane.app, ask)
        if not isinstance(known, Life):
            return exists or book.forgot(ask.instance) or _nobody(ask)
        if known.lost or (known.unreadable >= 0 and _told(known, ask.request)):
            return True
        match ask.request:
            case Compensate() as request:
                return known.undo_number >= request.number
            case Cancel() as request:
                meant = request.run in (None, known.run) and _lived(known, ask)
                turned = bool(known.beat) and "compensating" in known.reached
                return not meant or turned or known.claimed or not known.can_turn()
            case _:
                return True

    def _too_old(self, app: str, ask: Ask) -> bool:
        """Whether a repeat came later than its first may have been forgotten (rule 10)."""
        request: Start = ask.request
        if request.cause_time is None:
            return False
        kept = request.retention
        if kept is None:
            usual = self._kept.get(app, DAY)
            kept = min(usual, self._retentions.get((app, request.name), usual))
        age = ask.record.timestamp - request.cause_time
        return age > kept


def _told(life: Life, request: object) -> bool:
    """Whether the request's fact stands behind one that parks the instance: it is kept there."""
    facts = (m.event.fact for m in life.moments if m.event.offset > life.unreadable)
    if isinstance(request, Cancel):
        return any(isinstance(fact, CancelRequested) for fact in facts)
    return isinstance(request, Compensate) and any(
        isinstance(fact, CompensationRequested) and fact.number >= request.number for fact in facts
    )


def _nobody(ask: Ask) -> bool:
    """Whether a request about no instance may be dropped: not an undo of what may yet begin."""
    return not isinstance(ask.request, Compensate) or ask.request.known


def _lived(life: Life, ask: Ask) -> bool:
    """Whether whoever took the request in must have known of the life."""
    return life.born_at < ask.record.timestamp and not life.late
