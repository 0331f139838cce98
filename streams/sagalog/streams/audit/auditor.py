"""The auditor: fed with what comes, it says which promises that breaks. Sans-IO."""

from collections.abc import Callable, Mapping, Sequence

from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.envelope import Envelope, Poison, Unknown
from sagalog.schemas.pauses import PAUSES, PauseFact
from sagalog.schemas.record import Entry, Record
from sagalog.schemas.topics import LANES
from sagalog.streams.audit.book import Book
from sagalog.streams.audit.court import Court
from sagalog.streams.audit.evidence import Blow, Call
from sagalog.streams.audit.findings import Findings
from sagalog.streams.audit.fold import Fold
from sagalog.streams.audit.journals import Journals
from sagalog.streams.audit.kin import Kin
from sagalog.streams.audit.lanes import Lanes
from sagalog.streams.audit.lent import OF_LIMITS, Lent
from sagalog.streams.audit.letters import Letters
from sagalog.streams.audit.replies import Replies
from sagalog.streams.audit.rest import Promised, Rest
from sagalog.streams.audit.schedules import Schedules
from sagalog.streams.audit.tables import Table
from sagalog.streams.audit.tally import Tally
from sagalog.streams.audit.violation import Violation
from sagalog.streams.audit.writing import home, ours
from sagalog.streams.log import Place

_FACTS = frozenset(f.Fact.__args__)


class Auditor:
    """Checks every invariant that the topics of some apps can show.

    `partitions` says how many partitions each app has. `ordered` promises that records,
    calls and blows are fed in the order in which they happened, over all topics: then that
    order is judged too, at once, as a simulation wants it. Otherwise only the order within
    each place counts, and what depends on other topics is judged in `so_far` and `at_rest`.
    With `checkpoints` each checkpoint is fed as it is written, by `checkpoint`. `retentions`
    are the apps' own in ms, where they are known: a day else.
    """

    def __init__(
        self,
        partitions: Mapping[str, int],
        *,
        ordered: bool = False,
        checkpoints: bool = False,
        retentions: Mapping[str, int] | None = None,
    ) -> None:
        self.partitions, self._checkpoints = dict(partitions), checkpoints
        self._findings = Findings()
        self._books: dict[tuple[str, int], Book] = {}
        self._tables: dict[tuple[str, int], Table] = {}
        findings, letters = self._findings, Letters(self._home, self._findings, ordered=ordered)
        lanes = Lanes(
            self.partitions,
            self._book,
            letters,
            findings,
            ordered=ordered,
            retentions=retentions or {},
        )
        self._court = Court(
            findings,
            lanes,
            letters,
            Kin(self.partitions, self._audited, findings, ordered=ordered),
            Schedules(self._home, lanes, findings, ordered=ordered),
            Replies(self._home, findings, ordered=ordered),
            Journals(self._homes, findings, ordered=ordered),
            ordered=ordered,
        )
        self._lent = Lent(self._home, findings)
        self._rest = Rest(self._court, findings, self._books)
        self._readers: dict[str, Callable[[Record], None]] = {
            "events": self._event,
            "deadletters": self._letter,
            "replies": self._court.replies.read,
            **dict.fromkeys(LANES, self._request),
        }

    @property
    def elsewhere(self) -> set[str]:
        """The apps in which steps of the lives seen so far run."""
        return self._court.elsewhere

    @property
    def tally(self) -> Tally:
        """What has been looked at so far."""
        return self._findings.tally

    # -- what is fed

    def begins(self, place: Place, offset: int) -> None:
        """The log holds nothing of `place` before `offset`: what depends on it is not judged."""
        app, _, name = place[0].rpartition(".")
        if not offset:
            return
        if name == "events":
            self._book(app, place[1]).begins = offset
        elif name == "deadletters":
            self._court.letters.truncated.add(app)
        elif name in LANES:
            lane = self._court.lanes.lane(place)
            lane.begins = lane.next = offset

    def read(self, record: Record) -> list[Violation]:
        """A record of any topic, each place in the order of its offsets.

        Those of tables are fed by `table` or `checkpoint`.
        """
        reader = self._readers.get(record.topic.rpartition(".")[2])
        if reader is not None:
            reader(record)
        return self._findings.taken()

    def journal(self, call: Call) -> list[Violation]:
        """A line of the handlers' journal."""
        self._court.journals.read(call)
        return self._findings.taken()

    def blow(self, blow: Blow) -> None:
        """Something was done to a process."""
        self._court.journals.blow(blow)

    def committed(self, offsets: Mapping[Place, int]) -> list[Violation]:
        """The lanes' committed offsets, as somebody has just seen them."""
        self._court.lanes.committed(offsets)
        return self._findings.taken()

    def table(self, app: str, partition: int, rows: Mapping[bytes, bytes]) -> list[Violation]:
        """The whole table of a partition as it was last checkpointed.

        It is judged when the facts up to its position, and no later one, have been read.
        """
        self._table(app, partition).found(rows)
        return self._findings.taken()

    def checkpoint(self, app: str, partition: int, rows: Sequence[Entry]) -> list[Violation]:
        """A checkpoint as its owner wrote it: changed rows and the position, all of them."""
        self._table(app, partition).written(rows)
        return self._findings.taken()

    def acknowledged(self, app: str, instance: str, status: str = "") -> None:
        """The log acknowledged a request to start `instance`, which must end as `status`."""
        self._rest.promised.append(Promised(app, instance, status))

    # -- what is judged at the end

    def so_far(self) -> list[Violation]:
        """What can be judged when all that there is has been fed, though work goes on."""
        for table in self._tables.values():
            table.missed()
        self._lent.judge_doubtful()
        self._rest.so_far()
        return self._findings.taken()

    def at_rest(self, ends: Mapping[Place, int] | None = None) -> list[Violation]:
        """What can be judged only when everything has come to rest; includes `so_far`.

        `ends` are the lanes' ends, which must be committed.
        """
        for table in self._tables.values():
            table.missed()
        self._lent.judge_doubtful()
        self._rest.at_rest(ends or {})
        return self._findings.taken()

    # -- where what is found

    def _book(self, app: str, partition: int) -> Book:
        book = self._books.get((app, partition))
        if book is None:
            fold = Fold(trail=self._checkpoints)
            place, count = (f"{app}.events", partition), self.partitions.get(app, 0)
            book = Book(place, count, fold, self._findings, self._court)
            self._books[app, partition] = book
        return book

    def _audited(self, app: str, partition: int) -> Book | None:
        return self._book(app, partition) if app in self.partitions else None

    def _home(self, app: str, instance: str) -> Book | None:
        count = self.partitions.get(app, 0)
        return self._book(app, home(instance, count)) if count else None

    def _homes(self, instance: str) -> list[Book]:
        return [self._book(app, home(instance, count)) for app, count in self.partitions.items()]

    def _table(self, app: str, partition: int) -> Table:
        table = self._tables.get((app, partition))
        if table is None:
            table = self._tables[app, partition] = Table(self._book(app, partition), self._findings)
        return table

    # -- each kind of topic

    def _request(self, record: Record) -> None:
        ask = self._court.lanes.read(record)
        if ask is not None:
            app = record.topic.rpartition(".")[0]
            self._court.asked(self._book(app, record.partition), ask)

    def _letter(self, record: Record) -> None:
        about = self._court.letters.read(record)
        if about is not None:
            self._court.lanes.lettered(about)

    def _event(self, record: Record) -> None:
        app, partition = record.topic.rpartition(".")[0], record.partition
        book = self._book(app, partition)
        table = self._tables.get((app, partition))
        if book.first_at < 0:
            book.first_at = record.timestamp
        if table is not None:
            table.reached(record.offset)
        self._fold(book, record)
        book.fold.next = record.offset + 1
        if table is not None:
            table.reached(book.fold.next)

    def _fold(self, book: Book, record: Record) -> None:
        message = codec.decode(record.value)
        if isinstance(message, Unknown):
            if not message.subject.startswith("~"):
                book.park(record, message.subject)
        elif isinstance(message, Poison) or type(message.data) not in _FACTS:
            self._court.letters.poison(record)
        elif isinstance(message.data, f.Taken):
            book.take(record, message.data.owner)
        elif isinstance(message.data, PauseFact) and record.key == PAUSES.encode():
            book.halts.fold(record.offset, record.timestamp, message.data)
        elif record.key != message.subject.encode() or message.subject.startswith("~"):
            self._misplaced(book, record, message)
        elif type(message.data) in OF_LIMITS:
            self._lent.read(book, record, message)
        else:
            book.read(record, message)

    def _misplaced(self, book: Book, record: Record, message: Envelope) -> None:
        self._court.letters.poison(record)
        if ours(message.source):
            said = f"{type(message.data).__name__} stands under the key {record.key!r}"
            self._findings.add("S12", book.app, message.subject, said)
