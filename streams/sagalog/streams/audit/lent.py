"""S15: no limiter lends more than its limit, and nobody is told of more than was lent."""

from collections.abc import Callable
from typing import NamedTuple

from sagalog.engine.limiter import NO_BOUND, Lease, Limiter, evolve
from sagalog.schemas.catalogue import NAMES
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.ids import fact_id
from sagalog.schemas.limits import LimiterFact, PermitsGranted
from sagalog.schemas.record import Record
from sagalog.streams.audit.book import Book
from sagalog.streams.audit.findings import Findings
from sagalog.streams.audit.violation import Spot
from sagalog.streams.audit.writing import home

OF_LIMITS = frozenset((PermitsGranted, *LimiterFact.__args__))
_NEARLY = 1e-6


class _Told(NamedTuple):
    """Who was told what, and where that stands."""

    app: str
    limiter: str
    fact: PermitsGranted
    place: Spot


class Lent:
    """Reads the facts of limiters, and what their owners tell the borrowers.

    Both stand in different partitions: what is told before its cause has been read is
    judged when that is, or at the end.
    """

    def __init__(self, find: Callable[[str, str], Book | None], findings: Findings) -> None:
        self._find, self._findings = find, findings
        self._lent: dict[tuple[str, str, str, int], Lease] = {}
        self._doubtful: list[_Told] = []

    def read(self, book: Book, record: Record, message: Envelope) -> None:
        """One fact of a limiter, or one that tells of it."""
        name, fact = message.subject, message.data
        place = Spot(record.topic, record.partition, record.offset)
        self._findings.tally.facts += 1
        if message.id != fact_id(name, NAMES[type(fact)], fact):
            self._say("S11", book.app, name, f"the id {message.id} does not follow from it", place)
        if isinstance(fact, PermitsGranted):
            self._judge_told(_Told(book.app, name, fact, place), at_end=False)
        else:
            self._judge_home(book, name, place)
            self._fold(book, name, fact, record, place)

    def _fold(self, book: Book, name: str, fact: LimiterFact, record: Record, place: Spot) -> None:
        before = book.limiters.get(name)
        after = evolve(before, fact, record.offset, record.timestamp)
        if after is None or after is before:
            if after is None:
                book.limiters.pop(name, None)
            return
        book.limiters[name] = after
        self._judge_bounds(book.app, name, before, after, place)
        for lease in after.leases:
            if lease.serial == record.offset:
                self._lent[book.app, name, lease.run, lease.serial] = lease

    def _judge_home(self, book: Book, name: str, place: Spot) -> None:
        count = book.partitions
        if count and home(name, count) != book.partition:
            said = f"it stands in partition {book.partition}, and belongs to {home(name, count)}"
            self._say("S12", book.app, name, said, place)

    def _judge_bounds(
        self, app: str, name: str, before: Limiter | None, after: Limiter, place: Spot
    ) -> None:
        limit = after.limit
        bound = NO_BOUND if limit.concurrency is None else limit.concurrency
        grown = any(x.permits > _held(before, x.run) for x in after.leases)
        if grown and after.lent > bound:
            self._say("S15", app, name, f"it lends {after.lent} permits of {bound}", place)
        if limit.rate is not None and after.spent > limit.burst + _NEARLY:
            given = sum(lease.given for lease in after.leases)
            if given:
                self._say("S15", app, name, f"it gives {given} tokens that are not there", place)

    def _judge_told(self, told: _Told, *, at_end: bool) -> None:
        book, fact = self._find(told.app, told.limiter), told.fact
        if book is None or book.truncated:
            self._findings.unjudged("permits of limiters whose facts the log does not hold")
            return
        lease = self._lent.get((told.app, told.limiter, fact.run, fact.serial))
        if lease is None and not at_end and book.fold.next <= fact.serial:
            self._doubtful.append(told)
            return
        if lease is None:
            said = f"{fact.run} is told of {fact.permits} permits that nobody lent"
        elif (fact.number, fact.permits, fact.tokens) != (lease.number, lease.permits, lease.given):
            said = (
                f"{fact.run} is told of {fact.permits} permits and {fact.tokens} tokens, "
                f"and {lease.permits} and {lease.given} were lent"
            )
        elif told.place.partition != lease.partition:
            said = f"{fact.run} is told in partition {told.place.partition}"
        else:
            return
        self._say("S15", told.app, told.limiter, said, told.place)

    def judge_doubtful(self) -> None:
        """All has been read: what was told of must stand there."""
        doubtful, self._doubtful = self._doubtful, []
        for told in doubtful:
            self._judge_told(told, at_end=True)

    def _say(self, letter: str, app: str, name: str, sentence: str, place: Spot) -> None:
        self._findings.add(letter, app, name, sentence, [place])


def _held(state: Limiter | None, run: str) -> int:
    lease = state.lease(run) if state else None
    return lease.permits if lease else 0
