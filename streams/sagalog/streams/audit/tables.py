"""Tables: what a checkpoint holds is what the facts up to its position fold to (S10)."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest

import orjson

from sagalog.engine.errors import Impossible
from sagalog.engine.lending import LIMITER_KEY
from sagalog.engine.limiter import as_row
from sagalog.engine.pauses import NOTHING_HELD, PAUSES_KEY
from sagalog.engine.position import BEGINNING, Mark, Position
from sagalog.engine.rows import ROW, pack
from sagalog.engine.table import DEFINITION_KEY
from sagalog.schemas.definition import compact
from sagalog.schemas.record import Entry
from sagalog.schemas.topics import Topics
from sagalog.streams.audit.book import Book
from sagalog.streams.audit.findings import Findings
from sagalog.streams.audit.fold import State
from sagalog.streams.audit.violation import Spot

_UNREADABLE = ROW.index("unreadable")

Rows = Mapping[bytes, bytes]


class Table:
    """The table of one partition: as somebody found it, or as its checkpoints are written."""

    def __init__(self, book: Book, findings: Findings) -> None:
        self._book, self._findings = book, findings
        self._rows: dict[bytes, bytes] = {}
        self._expected: dict[str, State] = {}
        self._mark = BEGINNING
        self._parked = False
        self._due: tuple[Position, Rows] | None = None

    # -- whole tables, as somebody found them

    def found(self, rows: Rows) -> None:
        """This is the table: to be judged when the facts up to its position are folded."""
        if not rows:
            return
        try:
            position = Position.of(rows)
        except Impossible as error:
            self._say(str(error))
            return
        self._due = position, rows
        self.reached(self._book.fold.next)

    def reached(self, offset: int) -> None:
        """The facts below `offset` are folded, and no other is."""
        if self._due is None or offset < self._due[0].mark.offset:
            return
        (position, rows), self._due = self._due, None
        if offset > position.mark.offset and self._book.fold.next > position.mark.offset:
            self._findings.unjudged("tables that were given behind the facts that they hold")
            return
        self._judge_mark(position.mark, self._book.fold.taken, self._book.fold.low)
        self._judge_all(rows)

    def missed(self) -> None:
        """Everything is read: a table that is ahead of the log is nobody's fold."""
        if self._due is not None:
            at, end = self._due[0].mark.offset, self._book.fold.next
            self._due = None
            self._say(f"its checkpoint is at {at}, and the log ends at {end}")

    def _judge_all(self, rows: Rows) -> None:
        fold = self._book.fold
        held = {key for key in rows if not key.startswith(b"~")}
        used: set[str] = set()
        for instance, state in fold.states.items():
            held.discard(instance.encode())
            row = self._row(state)
            used.add(fold.digest(state))
            self._compare(instance, row, rows.get(instance.encode()))
        for key in held:
            self._extra(key.decode(errors="replace"))
        self._judge_definitions(rows, used)
        self._judge_limiters(rows)
        self._judge_pauses(rows, fold.next)
        self._findings.tally.rows += len(rows)

    def _extra(self, instance: str) -> None:
        if self._book.truncated:
            self._findings.unjudged("rows of lives that began before what the log still holds")
        else:
            self._say("the table has it, and the facts do not", instance)

    def _judge_definitions(self, rows: Rows, used: set[str]) -> None:
        for digest in sorted(used):
            self._judge_definition(rows, digest)
        held = {key for key in rows if key.startswith(DEFINITION_KEY)}
        extra = held - {DEFINITION_KEY + digest.encode() for digest in used}
        known = not self._book.truncated and not self._parked
        for key in sorted(extra) if known else ():
            self._say(f"the table has {key.decode()}, which no instance has")

    def _judge_limiters(self, rows: Rows) -> None:
        states = self._book.limiters
        folded = {LIMITER_KEY + name.encode(): as_row(state) for name, state in states.items()}
        kept = {key: row for key, row in rows.items() if key.startswith(LIMITER_KEY)}
        known = not self._book.truncated and not self._parked
        for key in sorted(folded.keys() | kept.keys()) if known else ():
            if folded.get(key) != kept.get(key):
                self._say("the row of its limiter is not what its facts fold to", key.decode())

    # -- checkpoints, as they are written

    def written(self, entries: Sequence[Entry]) -> None:
        """A checkpoint is durable: changed rows, and the position."""
        for key, value, _ in entries:
            if key is not None and value is None:
                self._rows.pop(key, None)
            elif key is not None and value is not None:
                self._rows[key] = value
        mark, fold = Position.of(self._rows).mark, self._book.fold
        if mark.offset < self._mark.offset:
            said = f"a checkpoint goes back from {self._mark.offset} to {mark.offset}"
            self._findings.add("O4", self._book.app, "", said)
        elif mark.offset > fold.next:
            self._say(f"its checkpoint is at {mark.offset}, and the log ends at {fold.next}")
        else:
            self._judge_changes(mark, entries)
        self._findings.tally.rows += len(entries)

    def _judge_changes(self, mark: Mark, entries: Sequence[Entry]) -> None:
        changed = {key.decode(errors="replace") for key, _, _ in entries if key and key[:1] != b"~"}
        taken, low = self._mark.taken, self._mark.low
        for step in self._book.fold.passed(mark.offset):
            taken, low = step.taken, dict(step.low)
            if step.state is not None:
                self._expected[step.instance] = step.state
            elif step.instance:
                self._expected.pop(step.instance, None)
            changed.add(step.instance)
        for instance in sorted(changed - {""}):
            state = self._expected.get(instance)
            if state is not None:
                self._judge_definition(self._rows, self._book.fold.digest(state))
            row = None if state is None else self._row(state)
            self._compare(instance, row, self._rows.get(instance.encode()))
        self._mark = Mark(mark.offset, taken, low)
        self._judge_mark(mark, taken, low)
        self._judge_pauses(self._rows, mark.offset)

    # -- row by row

    def _judge_pauses(self, rows: Rows, offset: int) -> None:
        held = self._book.halts.at(offset)
        row = None if held is NOTHING_HELD else held.row().value
        if row != rows.get(PAUSES_KEY) and not self._book.truncated:
            said = f"the facts below {offset} hold {held}"
            self._say(f"{said}, and its row says {rows.get(PAUSES_KEY)!r}")

    def _judge_mark(self, mark: Mark, taken: int, low: Mapping[str, int]) -> None:
        if self._book.truncated:
            return
        if (mark.taken, mark.low) != (taken, dict(low)):
            said = f"the position says {mark.taken} and {mark.low}"
            self._say(f"{said}, and the facts say {taken} and {dict(low)}")

    def _judge_definition(self, rows: Rows, digest: str) -> None:
        row = rows.get(DEFINITION_KEY + digest.encode())
        if row is None and not self._parked:
            self._say(f"the table has no definition {digest}, which an instance has")
        elif row is not None and compact(self._book.fold.definitions[digest]) != row:
            self._say(f"the definition {digest} is not the one of its instances")

    def _row(self, state: State) -> bytes:
        return state if isinstance(state, bytes) else pack(state, self._book.fold.definitions)

    def _compare(self, instance: str, folded: bytes | None, kept: bytes | None) -> None:
        if folded == kept:
            return
        if _parked(folded) != _parked(kept):
            self._parked = True
            self._findings.unjudged("rows of instances that another version parked, or read on")
        elif folded is None:
            self._extra(instance)
        elif kept is None:
            self._say("the facts have it, and the table does not", instance)
        else:
            self._say(
                f"its row is not what its facts fold to: {_differing(folded, kept)}", instance
            )

    def _say(self, sentence: str, instance: str = "") -> None:
        book = self._book
        life = book.life(instance)
        spots = [Spot(Topics(book.app).tables, book.partition, -1)]
        timeline = life.moments if life is not None else ()
        self._findings.add("S10", book.app, instance, sentence, spots, timeline)


def _parked(row: bytes | None) -> bool:
    """Whether a row says that its instance waits for code that can read a fact (rule 14)."""
    try:
        fields = orjson.loads(row or b"[]")
        return len(fields) > _UNREADABLE and fields[_UNREADABLE] >= 0
    except (ValueError, TypeError, LookupError):
        return False


def _differing(folded: bytes, kept: bytes) -> str:
    """The names of the fields in which two rows differ."""
    try:
        rows = zip_longest(ROW, orjson.loads(folded), orjson.loads(kept))
        names = [str(name) for name, one, other in rows if one != other]
    except (ValueError, TypeError):
        return "it cannot be read"
    return ", ".join(names) or "its bytes"
