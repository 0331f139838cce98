"""The lives of one partition: each fact judged by what stands before it."""

from typing import Protocol

from sagalog.engine.limiter import Limiter
from sagalog.schemas import facts as f
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.record import Record
from sagalog.streams.audit.answered import Answered
from sagalog.streams.audit.event import Event, Moment
from sagalog.streams.audit.findings import Findings, spot
from sagalog.streams.audit.fold import Change, Fold
from sagalog.streams.audit.halts import Halts
from sagalog.streams.audit.life import Life, born
from sagalog.streams.audit.verdicts import Finished, Verdicts, objection_to
from sagalog.streams.audit.writing import misplaced, ours
from sagalog.streams.log import Place

FIRST = (f.Started, f.Refused, f.ScheduleStarted)


class Hearing(Protocol):
    """Who looks at more than one topic hears of each life."""

    def lowered(self, book: "Book", event: Event) -> None:
        """A `Forgotten` says how far the lanes were done; it is not folded yet."""

    def born(self, book: "Book", life: Life, event: Event) -> None:
        """A life began."""

    def counted(self, book: "Book", life: Life, event: Event) -> None:
        """A fact counted, and has been taken."""

    def closed(self, book: "Book", life: Life, event: Event) -> Finished | None:
        """Only its retention keeps it now. What is to be kept of it; None for all."""

    def left(self, book: "Book", instance: str, known: Life | Finished, event: Event) -> None:
        """It was forgotten."""


class Book:
    """One partition of an app's events. `partitions` is 0 where nobody knows the count."""

    def __init__(
        self, place: Place, partitions: int, fold: Fold, findings: Findings, hearing: Hearing
    ) -> None:
        self.app, self.partition = place[0].rpartition(".")[0], place[1]
        self.fold = fold
        self.lives: dict[str, Life | Finished] = {}
        self.takes: list[int] = []
        self.limiters: dict[str, Limiter] = {}
        self.halts = Halts()
        self.begins, self.first_at = 0, -1
        self.partitions = partitions
        self._findings, self._hearing = findings, hearing
        self._verdicts = Verdicts(findings)
        self._owners: set[str] = set()
        self._runs: set[int] = set()
        self._gone: set[int] = set()
        self._answered = Answered()

    @property
    def truncated(self) -> bool:
        """Whether the log does not reach back to the partition's beginning."""
        return self.begins > 0

    def before(self, at: int) -> bool:
        """Whether what happened at a time (ms) may stand before what the log still holds."""
        return self.truncated and (self.first_at < 0 or at <= self.first_at)

    def life(self, instance: str) -> Life | None:
        """A life that is told in full."""
        known = self.lives.get(instance)
        return known if isinstance(known, Life) else None

    def knew(self, run: str) -> bool:
        """Whether a life of this name began here."""
        return hash(run) in self._runs

    def forgot(self, instance: str) -> bool:
        """Whether an instance was here, and was forgotten."""
        return hash(instance) in self._gone

    # -- what is read

    def take(self, record: Record, owner: str) -> None:
        """A new owner has taken the partition."""
        self.fold.take(record, owner)
        self._owners.add(owner)
        self.takes.append(record.timestamp)

    def park(self, record: Record, instance: str) -> None:
        """A fact that this code cannot read."""
        self._findings.tally.ignored["unreadable"] += 1
        if not self.fold.park(record, instance):
            return
        self._findings.unjudged("instances with a fact that this version cannot read")
        life = self.life(instance)
        if life is not None:
            life.unreadable = record.offset
        else:
            self.lives.pop(instance, None)

    def read(self, record: Record, message: Envelope) -> None:
        """A fact of an instance."""
        instance, event = message.subject, self._event(record, message)
        self._findings.tally.facts += 1
        if ours(event.source):
            self._judge_writer(instance, event)
        if isinstance(event.fact, f.Forgotten):
            self._hearing.lowered(self, event)
        known, parked = self.lives.get(instance), instance in self.fold.states
        change = self.fold.fold(record, message)
        if change == "born":
            self._born(instance, event)
        elif isinstance(known, Life):
            self._judge(known, event, counted=change != "ignored")
        elif known is not None:
            self._judge_finished(instance, known, event, counted=change != "ignored")
        elif parked:
            self._findings.tally.ignored["unreadable"] += 1
        else:
            self._stray(instance, event, change)
        if change == "left":
            self._left(instance, known, event)

    def _event(self, record: Record, message: Envelope) -> Event:
        return Event(
            record.topic,
            record.partition,
            record.offset,
            record.timestamp,
            message.id,
            message.source,
            message.time,
            self.fold.taken,
            self.fold.owner,
            message.data,
            self.halts.ever,
        )

    def _judge_writer(self, instance: str, event: Event) -> None:
        for letter, sentence in misplaced(instance, event, self.partitions):
            self._say(instance, letter, sentence, event)
        own = event.source.startswith(f"{self.app}/{self.partition}/")
        if own and event.source not in self._owners and not self.truncated:
            said = f"{event.source} writes {event.kind} before it has taken the partition"
            self._say(instance, "O4", said, event)

    def _say(self, instance: str, letter: str, sentence: str, event: Event) -> None:
        life = self.life(instance)
        if life is not None:
            self._findings.about(life, letter, sentence, event)
        else:
            moment = Moment(event, counted=True)
            self._findings.add(letter, self.app, instance, sentence, [spot(event)], [moment])

    # -- what becomes of it

    def _born(self, instance: str, event: Event) -> None:
        fact = event.fact
        life = born(self.app, instance, event)
        life.moments.append(Moment(event, counted=True))
        self.lives[instance] = life
        self._runs.add(hash(fact.run))
        self._findings.tally.instances += 1
        where = f"the request {fact.lane} {fact.lane_offset}"
        low = self.fold.low.get(fact.lane, 0)
        if fact.lane_offset < low:
            self._say(instance, "S7", f"{where} is below the low water, and runs again", event)
        if not self._answered.add(fact.lane, fact.lane_offset, low):
            self._say(instance, "S7", f"{where} has had its life, and runs again", event)
        self._hearing.born(self, life, event)

    def _judge(self, life: Life, event: Event, *, counted: bool) -> None:
        self._judge_run(life.instance, life.run, event)
        if not self._verdicts.judge(life, event, counted=counted):
            return
        self._runs.add(hash(life.run))
        self._hearing.counted(self, life, event)
        if life.closed and not isinstance(event.fact, f.Forgotten):
            kept = self._hearing.closed(self, life, event)
            if kept is not None:
                self.lives[life.instance] = kept

    def _judge_finished(
        self, instance: str, known: Finished, event: Event, *, counted: bool
    ) -> None:
        self._judge_run(instance, known.run, event)
        objection = objection_to(known, event)
        if objection is None and not counted:
            self._say(instance, "S10", f"{event.kind} fits, and is passed over", event)
        elif objection is not None and counted:
            self._say(instance, objection.letter, f"{objection.why}, and it counts", event)
            self.lives.pop(instance)
        elif objection is not None:
            self._findings.tally.ignored[objection.kind] += 1
        elif event.at - known.ended_at < known.retention:
            self._say(instance, "S7", "it is forgotten before its retention has passed", event)

    def _judge_run(self, instance: str, run: str, event: Event) -> None:
        fact = event.fact
        if fact.run == run or isinstance(fact, FIRST) or self.truncated or not ours(event.source):
            return
        if not self.knew(fact.run):
            said = f"{event.kind} of a life {fact.run}, which never began"
            self._say(instance, "S1", said, event)

    def _stray(self, instance: str, event: Event, change: Change) -> None:
        """A fact of an instance that there is not (any longer)."""
        fact, tally = event.fact, self._findings.tally
        if isinstance(fact, FIRST):
            tally.ignored["stale"] += 1
            if fact.lane_offset >= self.fold.low.get(fact.lane, 0):
                said = "a first fact is passed over, and there is no such instance"
                self._say(instance, "S11", said, event)
        elif self.truncated and not self.knew(fact.run):
            self._findings.unjudged("facts of lives that began before what the log still holds")
        else:
            tally.ignored["of no life"] += 1
            if not self.knew(fact.run) and ours(event.source):
                self._say(instance, "S1", f"{event.kind} of a life that never began", event)
        if change != "ignored":
            self._say(instance, "S11", f"{event.kind} counts, and there is no instance", event)

    def _left(self, instance: str, known: Life | Finished | None, event: Event) -> None:
        self.lives.pop(instance, None)
        self._gone.add(hash(instance))
        if known is not None:
            self._hearing.left(self, instance, known, event)
