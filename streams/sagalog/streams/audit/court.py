"""Who hears of each life: all checks that look at more than one topic."""

from sagalog.schemas import facts as f
from sagalog.streams.audit.book import Book
from sagalog.streams.audit.event import Event
from sagalog.streams.audit.findings import Findings, spot
from sagalog.streams.audit.journals import Journals
from sagalog.streams.audit.kin import Kin
from sagalog.streams.audit.lane import Ask
from sagalog.streams.audit.lanes import Lanes
from sagalog.streams.audit.letters import Letters
from sagalog.streams.audit.life import Life
from sagalog.streams.audit.likeness import unlike
from sagalog.streams.audit.replies import Replies, digest
from sagalog.streams.audit.schedules import Schedules
from sagalog.streams.audit.verdicts import USUAL, Finished


class Court:
    """Hears of births, facts and ends, and passes them on. A `Hearing`."""

    def __init__(
        self,
        findings: Findings,
        lanes: Lanes,
        letters: Letters,
        kin: Kin,
        schedules: Schedules,
        replies: Replies,
        journals: Journals,
        *,
        ordered: bool,
    ) -> None:
        self.lanes, self.letters, self.kin = lanes, letters, kin
        self.schedules = schedules
        self.replies, self.journals = replies, journals
        self.elsewhere: set[str] = set()
        self._findings, self._ordered = findings, ordered

    def lowered(self, book: Book, event: Event) -> None:
        """A `Forgotten` says how far the lanes were done."""
        self.lanes.lowered(book, event)

    def born(self, book: Book, life: Life, event: Event) -> None:
        """A life began: it is what was asked for."""
        answered, waiting = self.lanes.born(life, event)
        for ask in waiting:
            self.replies.asked(ask, life)
        if answered is not None:
            self._answers(life, answered, event)
        self.kin.born(life, event)
        for spec in life.definition.steps:
            if "/" in spec.operation:
                self.elsewhere.add(spec.operation.rpartition("/")[0])

    def _answers(self, life: Life, ask: Ask, event: Event) -> None:
        for what in unlike(ask, event.fact):
            said = f"it has not the {what} of the request that it answers"
            self._findings.about(life, "S12", said, event)

    def asked(self, book: Book, ask: Ask) -> None:
        """A request was read."""
        self.replies.asked(ask, book.lives.get(ask.instance))
        self.kin.asked(book.app, ask)
        self.schedules.asked(book.app, ask)

    def counted(self, book: Book, life: Life, event: Event) -> None:
        """A fact counted: it may bring a letter, or tell of a child."""
        for name, letter in life.letters.items():
            if letter.offset == event.offset:
                self.letters.expect(life, name, spot(event))
        if isinstance(event.fact, f.DeadLettered):
            self.letters.posted(life, event.fact.letter, spot(event))
        self.kin.counted(life, event)
        if isinstance(event.fact, f.ScheduleFired):
            self.schedules.fired(life, event)

    def closed(self, book: Book, life: Life, event: Event) -> Finished | None:
        """Only its retention keeps it: a life that completed alone needs no more than a line."""
        if self._ordered:
            self.journals.over(book, life)
            self.kin.judge_ends(life)
        elif self.journals.any:
            return None
        if (
            life.end != "completed"
            or life.beat
            or life.parent
            or any(s.there for s in life.steps.values())
        ):
            return None
        self.journals.drop(life.instance, life.run)
        reached = frozenset(life.reached)
        return Finished(
            life.run,
            life.fingerprint,
            life.retention,
            life.ended_at,
            event.offset,
            digest(life.result),
            USUAL if reached == USUAL else reached,  # one object for nearly all
        )

    def left(self, book: Book, instance: str, known: Life | Finished, event: Event) -> None:
        """It was forgotten: every request of its time has been read (rule 5)."""
        self._findings.tally.ended["forgotten"] += 1
        self.lanes.left(book, known.ended_at + known.retention, event)
        self.replies.left(instance)
        if isinstance(known, Life):
            if not self._ordered:
                self.journals.over(book, known)
            self.journals.drop(known.instance, known.run)
