"""Logs that are written by hand: requests, facts, letters, replies, calls and blows, one by one."""

from collections import defaultdict
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any, Literal

from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.deadletters import FailedStep, PoisonRecord
from sagalog.schemas.definition import Definition, RetrySpec, StepSpec
from sagalog.schemas.ids import child_id, letter_id, poison_id
from sagalog.schemas.record import Entry, Record
from sagalog.schemas.replies import Reply
from sagalog.schemas.requests import Parent, ReplyTo, RunOperation, StartSaga
from sagalog.streams.audit import Auditor, Blow, Call, Violation

RUN = "owner1-1"
ERROR = f.Failure("error", "ValueError", "planted")
TERMINAL = f.Failure("terminal", "Terminal", "planted")
CUT = f.Failure("timeout", "Timeout", "planted")
AWAY = f.Failure("unavailable", "Unavailable", "planted")


def spec(name: str, **fields: Any) -> StepSpec:
    """A step with an undo of its own, tried three times, 100 ms apart."""
    retry = RetrySpec(max_attempts=3, first=100, factor=1, jitter=0, give_up_after=1000)
    usual = {"operation": name, "undo": f"un{name}", "retry": retry, "undo_retry": retry}
    return StepSpec(name, **{**usual, **fields})


CHAIN = Definition("saga", "s", (spec("a"), spec("b", after=("a",))))
WIDE = Definition("saga", "s", (spec("a"), spec("b")))
CAREFUL = Definition("saga", "s", (spec("a"), spec("b", after=("a",), exhausted="park")))
ALONE = Definition("operation", "a", (spec("a"),))
BILL = spec("b", operation="pay/bill", undo=None, after=("a",))
ABROAD = Definition("saga", "s", (spec("a"), BILL, spec("c", after=("b",))))
THERE = Definition("operation", "bill", (spec("bill"),))
CHILD = child_id(RUN, "b")
PARENT = Parent("orders", 0, "x", RUN, "b")


class Forgery:
    """A log under the forger's hands. Time goes on by 10 ms with each record and call.

    `instance` and `run` are whom the next facts are about, `owner` who writes them.
    """

    def __init__(self, *, partitions: int = 1, definition: Definition = CHAIN) -> None:
        self.partitions = {"orders": partitions}
        self.definition = definition
        self.app, self.instance, self.run = "orders", "x", RUN
        self.owner, self.partition = "owner1", 0
        self.now = 1_000_000
        self.story: list[tuple[str, Any]] = []
        self.offsets: defaultdict[tuple[str, int], int] = defaultdict(int)
        self.replied = 0
        self.take("owner1")

    # -- records

    def put(
        self, topic: str, value: bytes | None, key: bytes | None, partition: int | None = None
    ) -> Record:
        """A record, of any bytes."""
        self.now += 10
        number = self.partition if partition is None else partition
        place = (f"{self.app}.{topic}", number)
        record = Record(*place, self.offsets[place], self.now, key, value)
        self.offsets[place] += 1
        self.story.append(("read", record))
        return record

    @property
    def source(self) -> str:
        """Who writes."""
        return f"{self.app}/{self.partition}/{self.owner}"

    def take(self, owner: str) -> None:
        """Another owner takes the partition, and writes from now on."""
        self.owner = owner
        fact = f.Taken(self.source)
        _, value = codec.encode_fact(fact, source=self.source, subject=self.source, now=self.now)
        self.put("events", value, self.source.encode())

    def fact(self, fact: f.Fact, *, source: str | None = None, **parts: Any) -> Record:
        """A fact of the instance."""
        written = self.now + 10
        id_, value = codec.encode_fact(
            fact, source=source or self.source, subject=self.instance, now=written
        )
        if "id" in parts:
            value = value.replace(id_.encode(), parts["id"].encode())
        key = parts.get("key", self.instance.encode())
        return self.put("events", value, key, parts.get("partition"))

    def ask(self, request: Any, lane: str = "normal", **parts: Any) -> Record:
        """A request about the instance."""
        subject = parts.get("subject", self.instance)
        source = parts.get("source", "client")
        value = codec.encode(request, id="r", source=source, subject=subject, now=self.now)
        return self.put(lane, value, subject.encode(), parts.get("partition"))

    def request(self, **fields: Any) -> StartSaga | RunOperation:
        """What asks for the definition."""
        kind = StartSaga if self.definition.kind == "saga" else RunOperation
        usual = {"name": self.definition.name, "input": {"n": 1}, "fingerprint": "f"}
        return kind(**{**usual, **fields})

    def started(self, asked: Record | None = None, **fields: Any) -> f.Started:
        """The first fact that answers a request."""
        lane, offset = "normal", 0
        if asked is not None:
            lane, offset = asked.topic.rpartition(".")[2], asked.offset
        usual: dict[str, Any] = {"input": {"n": 1}, "fingerprint": "f", "retention": 1000}
        return f.Started(
            **{
                "run": self.run,
                "definition": self.definition,
                "lane": lane,
                "lane_offset": offset,
                **usual,
                **fields,
            }
        )

    def start(self, **fields: Any) -> None:
        """A request, and the life that it begins."""
        asked = self.ask(self.request(**fields), fields.get("priority", "normal"))
        self.fact(self.started(asked, **fields))

    def letter(self, step: str, number: int, attempt: int, **fields: Any) -> None:
        """The dead letter of a final failure, and the fact that it is there."""
        place = [s.name for s in self.definition.steps].index(step)
        name = f"{place}/{number}/{attempt}"
        usual: dict[str, Any] = {
            "instance": self.instance,
            "run": self.run,
            "name": self.definition.name,
            "step": step,
            "phase": "undo" if number else "forward",
            "number": number,
            "attempts": attempt,
            "error": TERMINAL,
            "input": {"n": 1},
            "status": "compensating",
        }
        self.post(FailedStep(**{**usual, **fields}), letter_id(self.instance, self.run, name))
        self.fact(f.DeadLettered(self.run, name))

    def post(self, letter: FailedStep | PoisonRecord, id: str) -> None:
        """Any dead letter."""
        value = codec.encode(letter, id=id, source=self.source, subject=id, now=self.now)
        self.put("deadletters", value, self.instance.encode())

    def poisoned(self, record: Record, reason: str = "planted", **fields: Any) -> None:
        """The dead letter of a record."""
        letter = PoisonRecord.of(record._replace(**fields), reason)
        self.post(letter, poison_id(record.topic, record.partition, record.offset))

    def reply(
        self,
        kind: Any,
        status: str = "",
        result: Any = None,
        to: str = "q",
        key: bytes | None = b"client",
    ) -> None:
        """A reply to a client."""
        reply = Reply("client", to, kind, self.instance, status, result)
        value = codec.encode(reply, id=to, source=self.source, subject=self.instance, now=self.now)
        self.put("replies", value, key, 0)

    # -- beside the log

    def call(
        self,
        step: str,
        attempt: int = 1,
        *,
        undo: int = 0,
        pid: int = 1,
        effect: bool = True,
        **fields: Any,
    ) -> None:
        """One call of a handler, and its effect."""
        key = f"{self.instance}:{self.run}:{step}" + (f":undo:{undo}" if undo else "")
        phase = "undo" if undo else "forward"
        for what in ("begin", "effect")[: 1 + effect]:
            self.now += 10
            call = Call(what, self.now, pid, step, self.instance, step, phase, attempt, key)  # type: ignore[arg-type]
            self.story.append(("journal", call._replace(**fields)))

    def blow(self, what: Literal["kill", "freeze", "thaw", "lose"], pid: int = 1) -> None:
        """Something is done to a process."""
        self.now += 10
        self.story.append(("blow", Blow(what, pid, self.now)))

    def committed(self, offset: int, lane: str = "normal", partition: int | None = None) -> None:
        """Somebody looks at what is committed."""
        number = self.partition if partition is None else partition
        self.story.append(("committed", {(f"{self.app}.{lane}", number): offset}))

    def checkpoint(self, *rows: Entry) -> None:
        """A checkpoint is written."""
        self.story.append(("checkpoint", (self.app, self.partition, rows)))

    @contextmanager
    def there(self) -> Generator[None]:
        """Meanwhile in the other app: what is told is about the child of step b."""
        kept = self.app, self.instance, self.run, self.owner, self.definition
        new = "pay" not in self.partitions
        self.partitions["pay"] = 1
        self.app, self.instance, self.run, self.owner, self.definition = (
            *("pay", CHILD, "there1-1", "there1"),
            THERE,
        )
        if new:
            self.take("there1")
        yield
        self.app, self.instance, self.run, self.owner, self.definition = kept

    # -- what happens often

    def done(self, step: str, attempt: int = 1, result: Any = None) -> None:
        """A call that returns."""
        self.call(step, attempt)
        self.fact(f.StepCompleted(self.run, step, attempt, result))

    def failed(
        self,
        step: str,
        error: f.Failure = TERMINAL,
        attempt: int = 1,
        *,
        final: bool = True,
        pid: int = 1,
    ) -> None:
        """A call that raises; its dead letter where that is final."""
        self.call(step, attempt, effect=error is CUT, pid=pid)
        retry_at = 0 if final else self.now + 110
        counted = error is not AWAY
        self.fact(f.StepFailed(self.run, step, attempt, error, final, retry_at, counted))
        if final:
            self.letter(step, 0, attempt, error=error)

    def undone(self, step: str, number: int = 1, attempt: int = 1) -> None:
        """An undo that returns."""
        self.call(step, attempt, undo=number)
        self.fact(f.StepCompensated(self.run, step, number, attempt))

    def not_undone(
        self, step: str, attempt: int = 1, error: f.Failure = TERMINAL, *, final: bool = True
    ) -> None:
        """An undo that raises."""
        self.call(step, attempt, undo=1, effect=False)
        retry_at = 0 if final else self.now + 110
        self.fact(f.CompensationFailed(self.run, step, 1, attempt, error, final, retry_at))
        if final:
            self.letter(step, 1, attempt, error=error, status="stuck")

    # -- the judgement

    def judge(
        self, *, ordered: bool = False, rest: bool = True, journal: bool = True
    ) -> list[Violation]:
        """What the auditor finds."""
        auditor = self.auditor = Auditor(
            self.partitions, ordered=ordered, checkpoints=self._checkpoints
        )
        found: list[Violation] = []
        for what, told in self._told(journal=journal):
            feed: Callable[..., Any] = getattr(auditor, what)
            found += (feed(*told) if what in _SEVERAL else feed(told)) or []
        return found + (auditor.at_rest(self._ends()) if rest else auditor.so_far())

    @property
    def _checkpoints(self) -> bool:
        return any(what == "checkpoint" for what, _ in self.story)

    def _told(self, *, journal: bool) -> Iterable[tuple[str, Any]]:
        beside = ("journal", "blow") if not journal else ()
        return [(what, told) for what, told in self.story if what not in beside]

    def _ends(self) -> dict[tuple[str, int], int]:
        """Where the lanes end, where somebody looked at what is committed."""
        looked = {place for what, told in self.story if what == "committed" for place in told}
        return {place: self.offsets[place] for place in looked}


_SEVERAL = ("begins", "checkpoint")
"""What is fed as several things."""


def letters(found: Iterable[Violation]) -> set[str]:
    """The invariants that are broken."""
    return {violation.letter for violation in found}


def to(request: str = "q") -> ReplyTo:
    """Where a client listens."""
    return ReplyTo(0, "client", request)
