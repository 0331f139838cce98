"""The auditor beside a world: it is fed with everything in the moment in which it happens."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sagalog.engine import App, Context
from sagalog.engine.instance import Instance
from sagalog.engine.pending import pending
from sagalog.schemas.record import Entry, Record
from sagalog.streams.audit import Auditor, Blow, Call, Violation
from sagalog.streams.audit.evidence import What
from sagalog.streams.log import Place
from sagalog.streams.outcomes import Outcome
from tests.simulation.people import Ask

At = tuple[str, int]
"""An app and the number of a partition."""


class Judge:
    """`violations` are what the auditor has found; `asks` what clients want and were told.

    `again` says that everything is kept, to be judged again by code that can read more.
    """

    def __init__(self, apps: Iterable[App], partitions: int, *, again: bool) -> None:
        self.violations: list[str] = []
        self.asks: list[Ask] = []
        self._kept = {app.name: app.retention for app in apps}
        self._counts = dict.fromkeys(self._kept, partitions)
        self._fed: list[tuple[str, Any]] | None = [] if again else None
        self._high: dict[Place, int] = {}
        self._auditor = self._made()

    def _made(self) -> Auditor:
        return Auditor(self._counts, ordered=True, checkpoints=True, retentions=self._kept)

    # -- while it happens

    def _feed(self, what: str, item: Any) -> None:
        if self._fed is not None:
            self._fed.append((what, item))
        self._found(getattr(self._auditor, what)(item))

    def _found(self, violations: Sequence[Violation] | None) -> None:
        if violations:
            self.violations += [violation.text() for violation in violations]

    def landed(self, record: Record) -> None:
        """A record is in the log."""
        self._feed("read", record)

    def called(self, call: Call) -> None:
        """A handler's call begins, or has had its effect."""
        self._feed("journal", call)

    def blow(self, blow: Blow) -> None:
        """Something was done to a process."""
        self._feed("blow", blow)

    def written(self, place: Place, rows: Sequence[Entry]) -> None:
        """A checkpoint is committed."""
        app = place[0].partition(".")[0]
        self._found(self._auditor.checkpoint(app, place[1], rows))

    def committed(self, offsets: Mapping[Place, int]) -> bool:
        """Somebody has committed lanes; whether one went back.

        A former owner's commit may come late, and a broker forgets them: that must do no
        harm (the head of RELIABILITY, on O2), so nobody objects to it.
        """
        forward = {place: at for place, at in offsets.items() if at >= self._high.get(place, 0)}
        self._high.update(forward)
        self._found(self._auditor.committed(forward))
        return len(forward) < len(offsets)

    def told(self, ask: Ask) -> None:
        """A client was told how its request stands: that is for the auditor of replies."""
        if isinstance(ask.told, Outcome) and ask.told.instance != ask.instance:
            self.violations.append(f"S12 {ask.instance} was told of {ask.told.instance}")

    def begin_anew(
        self, tables: Mapping[Place, Sequence[Entry]], committed: Mapping[Place, int]
    ) -> None:
        """Judge everything once more, with code that can read more.

        Tables and commits are as the code of before has left them.
        """
        fed, self._fed = self._fed or [], None
        self._auditor = self._made()
        for what, item in fed:
            self._feed(what, item)
        for (topic, number), rows in tables.items():
            if rows:  # of yesterday's fold
                self._auditor.checkpoint(topic.partition(".")[0], number, rows)
        self._found(self._auditor.committed(committed))

    # -- what there is

    def states(self) -> Iterator[tuple[At, str, Instance]]:
        """The instances that something else than their retention keeps."""
        for at, book in self._auditor._books.items():
            for name, state in book.fold.states.items():
                if isinstance(state, Instance):
                    yield at, name, state

    def busy(self) -> bool:
        """Whether an instance wants something or is parked."""
        return any(pending(s) or not s.ended or s.undoing for _, _, s in self.states())

    def waiting(self) -> list[Ask]:
        """Who has no answer yet."""
        return [a for a in self.asks if a.durable and a.person is not None and a.told is None]

    # -- when all is at rest

    def at_rest(self, ends: Mapping[Place, int]) -> None:
        """What must hold in the end."""
        for ask in self.waiting():
            self.violations.append(f"L1 {ask.name} {ask.key} ({ask.instance}): no answer")
        for ask in self.asks:
            if ask.durable and ask.name not in ("look", "nothing") and ask.told not in WORDS:
                self._auditor.acknowledged(ask.app, ask.instance)
        self._found(self._auditor.at_rest(ends))


WORDS = ("Refused", "NotFound", "Conflict")
"""What a client may be told instead of an outcome, of an instance that is not there."""


def call_of(
    what: What, at: int, pid: int, operation: str, context: Context, read: tuple[int, int]
) -> Call:
    """A line of the journal."""
    return Call(
        what,
        at,
        pid,
        operation,
        context.instance,
        context.step,
        context.phase,
        context.attempt,
        context.idempotency_key,
        *read,
    )
