"""What is judged when all has been fed: what was kept for the end, and what must be at rest."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sagalog.streams.audit.book import Book
from sagalog.streams.audit.court import Court
from sagalog.streams.audit.findings import Findings
from sagalog.streams.audit.life import Life
from sagalog.streams.audit.verdicts import Finished
from sagalog.streams.log import Place


class Promised(NamedTuple):
    """A request that was acknowledged, and how its instance must end; empty for anyhow."""

    app: str
    instance: str
    status: str


class Rest:
    """The judgements of the end."""

    def __init__(
        self, court: Court, findings: Findings, books: Mapping[tuple[str, int], Book]
    ) -> None:
        self.promised: list[Promised] = []
        self._court, self._findings, self._books = court, findings, books

    def so_far(self) -> None:
        """What holds at any time."""
        self._court.lanes.judge_claims()
        self._court.lanes.judge_cited()
        self._court.lanes.judge_purged()
        self._court.letters.orphans()
        self._court.replies.judge_doubtful()
        self._court.journals.learn()
        for book, life in self._lives():
            if not life.end or life.todo:
                self._court.journals.under_way(book, life)
            else:
                self._court.journals.over(book, life)
        self._count()

    def at_rest(self, ends: Mapping[Place, int]) -> None:
        """What holds when nothing is under way any more."""
        self.so_far()
        self._court.kin.judge_told()
        self._court.schedules.judge()
        self._court.letters.missing()
        self._court.lanes.rest(ends)
        for book, life in self._lives():
            self._judge_rest(life)
            self._court.kin.judge_ends(life)
            if life.parked:
                self._court.journals.over(book, life)
        for line in self._court.journals.unknown():
            if line.call.what == "begin":
                said = f"{line.what} was called, and no life {line.run} of it is in the log"
                self._findings.add("S8", "", line.call.instance, said)
        for promised in self.promised:
            self._judge_promise(promised)

    def _lives(self) -> Iterator[tuple[Book, Life]]:
        for book in list(self._books.values()):
            for life in list(book.lives.values()):
                if isinstance(life, Life):
                    yield book, life

    def _judge_rest(self, life: Life) -> None:
        """Every life has ended, or waits for a person; and nothing of it is under way (L1)."""
        if life.lost or life.unreadable >= 0:
            return
        if life.letters:
            said = f"its dead letters {', '.join(sorted(life.letters))} are not told of"
            self._findings.about(life, "L1", said)
        if life.parked:
            return
        if life.beat is not None and not (life.cause or life.end):
            return  # it waits for its next time
        if not life.end:
            what = ", ".join(_open(life))
            self._findings.about(life, "L1", f"it is {life.status}, and has not ended: {what}")
        elif life.todo:
            left = ", ".join(reversed(life.todo))
            self._findings.about(life, "L1", f"it is {life.end}, and {left} is not undone")
        elif not life.closed and not life.letters:
            self._findings.about(life, "L1", f"it is {life.end}, and its parent does not know")

    def _judge_promise(self, promised: Promised) -> None:
        app, instance, status = promised
        found = [b for (name, _), b in self._books.items() if name == app]
        known = next((b.lives[instance] for b in found if instance in b.lives), None)
        if known is None:
            gone = any(
                b.forgot(instance) or b.truncated or instance in b.fold.states for b in found
            )
            if not gone and not self._court.lanes.asked_for(app, instance):
                said = "it was acknowledged, and is not in the log"
                self._findings.add("O5", app, instance, said)
            return
        now = known.status if isinstance(known, Life) else known.end
        if status and now != status:
            timeline = known.moments if isinstance(known, Life) else ()
            said = f"it was to end as {status}, and is {now}"
            self._findings.add("L1", app, instance, said, (), timeline)

    def _count(self) -> None:
        ended = self._findings.tally.ended
        gone = ended["forgotten"]
        ended.clear()
        if gone:
            ended["forgotten"] = gone
        for book in self._books.values():
            for known in book.lives.values():
                ended[known.end if isinstance(known, Finished) else known.status] += 1


def _open(life: Life) -> Iterator[str]:
    """What is to be done next."""
    if life.cause:
        yield f"{life.todo[-1]} is to be undone" if life.todo else "its end is to be written"
        return
    open_ = [step for step in life.steps.values() if step.done < 0 and step.ready >= 0]
    for step in open_:
        yield f"{step.name} has no outcome"
    if not open_:
        yield "its end is to be written"
