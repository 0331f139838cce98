"""The handlers' journal, line by line, beside the lives that it is about."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from sagalog.streams.audit.blows import Blows, overtaken
from sagalog.streams.audit.book import Book
from sagalog.streams.audit.calls import Keepers, Line, begun, doubled, line_of, unsettled, whole
from sagalog.streams.audit.evidence import Blow, Call
from sagalog.streams.audit.findings import Findings
from sagalog.streams.audit.life import Life
from sagalog.streams.audit.verdicts import Finished

Homes = Callable[[str], Iterable[Book]]
"""The books in which an instance may stand."""


class Journals:
    """The lines of all handlers. With `ordered` each is judged as it comes."""

    def __init__(self, homes: Homes, findings: Findings, *, ordered: bool) -> None:
        self._homes, self._findings, self._ordered = homes, findings, ordered
        self._blows = Blows()
        self._lines: defaultdict[str, list[Line]] = defaultdict(list)
        self._keepers = Keepers()

    @property
    def any(self) -> bool:
        """Whether there was a line at all."""
        return self._findings.tally.calls > 0

    def blow(self, blow: Blow) -> None:
        """Something was done to a process."""
        self._findings.tally.blows += 1
        self._blows.add(blow)

    def read(self, call: Call) -> None:
        """A line."""
        self._findings.tally.calls += call.what == "begin"
        line = line_of(call)
        if line is None:
            said = f"{call.step} ({call.phase}) was called with the key {call.key}"
            self._findings.add("S7", "", call.instance, f"{said}, which is not its own")
            return
        if not line.run:
            self._findings.unjudged("calls of steps that a caller may run")
            return
        self._lines[call.instance].append(line)
        if self._ordered:
            self._judge_now(line)

    def _judge_now(self, line: Line) -> None:
        found = self._find(line)
        if found is None:
            said = f"{line.what} was called, and no life {line.run} of it is in the log"
            if line.call.what == "begin" and not self._forgotten(line):
                self._findings.add("S8", "", line.call.instance, said)
            return
        book, known = found
        if isinstance(known, Life):
            self._keepers.learn(known, line)
        if line.call.what != "begin":
            return
        if isinstance(known, Life):
            self._judge_begin(book, known, line)
        elif self._late(book, known, line):
            said = f"{line.what} began behind the end, which stands at {known.offset}"
            self._findings.add("S7", book.app, line.call.instance, said)

    def _judge_begin(self, book: Book, life: Life, line: Line) -> None:
        if life.lost:
            return
        woken = self._blows.woken(line.call, book.partition)
        for letter, sentence in begun(life, line, book.takes, woken=woken):
            self._findings.about(life, letter, sentence)
        if not book.truncated:
            for letter, sentence in book.halts.broken(life, line):
                self._findings.about(life, letter, sentence)
        if line.call.phase == "undo" and not woken:
            for letter, sentence in unsettled(life, self._of(life), line, book.takes):
                self._findings.about(life, letter, sentence)

    def _late(self, book: Book, known: Finished, line: Line) -> bool:
        if line.call.read >= 0:
            return known.offset < line.call.read
        if overtaken(book.takes, line.call, known.ended_at):
            return False
        late = line.call.at > known.ended_at
        return late and not self._blows.woken(line.call, book.partition)

    def _find(self, line: Line) -> tuple[Book, Life | Finished] | None:
        for book in self._homes(line.call.instance):
            known = book.lives.get(line.call.instance)
            if known is not None and known.run == line.run:
                return book, known
        return None

    def _forgotten(self, line: Line) -> bool:
        instance = line.call.instance
        books = self._homes(instance)
        return any(b.truncated or (b.forgot(instance) and b.knew(line.run)) for b in books)

    # -- when a life is over, or all is at rest

    def over(self, book: Book, life: Life) -> None:
        """Judge all calls of a life that has come to its end, or to rest."""
        lines = self._of(life)
        if life.lost or not self.any:
            return
        if not self._ordered:
            for line in lines:
                if line.call.what == "begin":
                    self._judge_begin(book, life, line)
        for letter, sentence in whole(life, lines, self._blows, book.takes, self._keepers):
            self._findings.about(life, letter, sentence)

    def under_way(self, book: Book, life: Life) -> None:
        """Judge the calls of a life that goes on."""
        begins = [line for line in self._of(life) if line.call.what == "begin"]
        for line in begins:
            self._judge_begin(book, life, line)
        for letter, sentence in doubled(life, begins, self._blows, book.takes):
            self._findings.about(life, letter, sentence)

    def _of(self, life: Life) -> list[Line]:
        return [x for x in self._lines.get(life.instance, ()) if x.run == life.run]

    def drop(self, instance: str, run: str) -> None:
        """Nothing more can be said of the calls of a life."""
        left = [line for line in self._lines.pop(instance, ()) if line.run != run]
        if left:
            self._lines[instance] = left

    def learn(self) -> None:
        """Find out whose handlers keep a journal."""
        for lines in self._lines.values():
            for line in lines:
                found = self._find(line)
                if found is not None and isinstance(found[1], Life):
                    self._keepers.learn(found[1], line)

    def unknown(self) -> Iterator[Line]:
        """The lines of lives that are not in the log."""
        for lines in self._lines.values():
            for line in lines:
                if self._find(line) is None and not self._forgotten(line):
                    yield line
