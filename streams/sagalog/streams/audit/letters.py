"""The dead letters: one for each final failure and for each poison record, whole (S9)."""

from collections.abc import Callable
from typing import NamedTuple

from sagalog.schemas import codec
from sagalog.schemas.deadletters import FailedStep, PoisonRecord
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.ids import letter_id, poison_id
from sagalog.schemas.record import Entry, Record
from sagalog.streams.audit.book import Book
from sagalog.streams.audit.findings import Findings
from sagalog.streams.audit.life import Letter, Life
from sagalog.streams.audit.violation import Spot

BookOf = Callable[[str, str], Book | None]
"""The book in which an instance of an app stands; None where that cannot be known."""


class Due(NamedTuple):
    """A failure whose letter is still to come."""

    app: str
    instance: str
    name: str
    spot: Spot
    letter: Letter


class Posted(NamedTuple):
    """A letter whose cause is still to come."""

    app: str
    spot: Spot
    data: FailedStep | PoisonRecord


class Letters:
    """What is to be in the dead letters of all apps, and what is.

    `ordered` says that no letter can be read before its cause.
    """

    def __init__(self, book_of: BookOf, findings: Findings, *, ordered: bool) -> None:
        self.truncated: set[str] = set()
        self._book_of, self._findings, self._ordered = book_of, findings, ordered
        self._due: dict[str, Due] = {}
        self._poison: dict[Spot, Record] = {}
        self._early: dict[str, Posted] = {}
        self._known: set[str] = set()

    def expect(self, life: Life, name: str, spot: Spot) -> None:
        """A final failure must have its letter."""
        id_ = letter_id(life.instance, life.run, name)
        due = Due(life.app, life.instance, life.definition.name, spot, life.letters[name])
        early = self._early.pop(id_, None)
        if early is None:
            self._due[id_] = due
        else:
            self._compare(id_, due, early)

    def poison(self, record: Record) -> None:
        """A record that nobody can take in must have its letter."""
        spot = Spot(record.topic, record.partition, record.offset)
        early = self._early.pop(poison_id(*spot), None)
        if early is None:
            self._poison[spot] = record
        else:
            self._compare_poison(record, early)

    def posted(self, life: Life, name: str, spot: Spot) -> None:
        """The log says that a letter is there."""
        id_ = letter_id(life.instance, life.run, name)
        if self._ordered and id_ in self._due and life.app not in self.truncated:
            said = f"the dead letter {name} is told of before it is there"
            self._findings.add("S9", life.app, life.instance, said, [spot], life.moments)

    def read(self, record: Record) -> Spot | None:
        """A record of the dead letters; the record that it is about, if it is about one."""
        message = codec.decode(record.value)
        if not isinstance(message, Envelope):
            return None
        app = record.topic.rpartition(".")[0]
        posted = Posted(app, Spot(record.topic, record.partition, record.offset), message.data)
        if isinstance(message.data, FailedStep):
            self._findings.tally.letters += message.id not in self._known
            self._failed(message.id, posted)
            return None
        if not isinstance(message.data, PoisonRecord):
            return None
        data = message.data
        spot = Spot(data.topic, data.partition, data.offset)
        self._findings.tally.letters += poison_id(*spot) not in self._known
        self._poisoned(spot, posted)
        return spot

    def _failed(self, id_: str, posted: Posted) -> None:
        due = self._due.pop(id_, None)
        if due is not None:
            self._compare(id_, due, posted)
        elif id_ not in self._known:
            self._early.setdefault(id_, posted)
            if self._ordered:
                self._orphan(id_)

    def _poisoned(self, spot: Spot, posted: Posted) -> None:
        record = self._poison.pop(spot, None)
        if record is not None:
            self._compare_poison(record, posted)
        elif poison_id(*spot) not in self._known:
            self._early.setdefault(poison_id(*spot), posted)

    def _compare(self, id_: str, due: Due, posted: Posted) -> None:
        self._known.add(id_)
        letter, data = due.letter, posted.data
        if not isinstance(data, FailedStep):
            return
        phase = "undo" if letter.number else "forward"
        told = data.name, data.step, data.phase, data.number, data.attempts
        if told != (due.name, letter.step, phase, letter.number, letter.attempt):
            self._say(due, posted, f"a dead letter tells of {told}")
        elif data.error != letter.error:
            was, says = letter.error, data.error
            error = f"{says.type}: {says.message}, and it was {was.type}: {was.message}"
            self._say(due, posted, f"the dead letter of {letter.step} says {error}")

    def _say(self, due: Due, posted: Posted, sentence: str) -> None:
        self._findings.add("S9", due.app, due.instance, sentence, [due.spot, posted.spot])

    def _compare_poison(self, record: Record, posted: Posted) -> None:
        data = posted.data
        self._known.add(poison_id(record.topic, record.partition, record.offset))
        if not isinstance(data, PoisonRecord):
            return
        whole = Entry(record.key, record.value, record.headers)
        spot = Spot(record.topic, record.partition, record.offset)
        if data.entry() != whole or data.timestamp != record.timestamp:
            said = f"the dead letter of {spot} is not that record"
            self._findings.add("S9", posted.app, "", said, [spot, posted.spot])

    def record(self, record: Record) -> None:
        """A record that could be read was refused: its letter, which came just now, is whole."""
        posted = self._early.pop(poison_id(record.topic, record.partition, record.offset), None)
        if posted is not None:
            self._compare_poison(record, posted)

    # -- at the end

    def orphans(self) -> None:
        """Letters of failures that are nowhere in the log."""
        for id_ in list(self._early):
            self._orphan(id_)

    def _orphan(self, id_: str) -> None:
        posted = self._early[id_]
        if not isinstance(posted.data, FailedStep) or id_ in self._known:
            return
        book = self._book_of(posted.app, posted.data.instance)
        if book is not None and book.truncated and not book.knew(posted.data.run):
            self._findings.unjudged("dead letters of lives that the log does not hold whole")
        else:
            said = f"a dead letter of {posted.data.step}, and no failure of it is in the log"
            self._findings.add("S9", posted.app, posted.data.instance, said, [posted.spot])
        self._known.add(id_)

    def missing(self) -> None:
        """What has no letter at rest."""
        for due in self._due.values():
            if due.app in self.truncated:
                self._findings.unjudged("failures whose dead letters the log holds no more")
                continue
            letter = due.letter
            said = f"no dead letter of {letter.step}, attempt {letter.attempt}"
            self._findings.add("S9", due.app, due.instance, said, [due.spot])
        for spot in self._poison:
            app = spot.topic.rpartition(".")[0]
            if app not in self.truncated:
                said = f"no dead letter of the record {spot}, which nobody can take in"
                self._findings.add("S9", app, "", said, [spot])
