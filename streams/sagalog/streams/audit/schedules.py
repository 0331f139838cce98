"""What schedules send, against what they say: each firing once, under its own id (S7, S12)."""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from sagalog.schemas.definition import Json
from sagalog.schemas.ids import firing_key, instance_id
from sagalog.schemas.requests import Occasion, Plan, RunOperation, Start, StartSaga
from sagalog.streams.audit.book import Book
from sagalog.streams.audit.event import Event
from sagalog.streams.audit.findings import Findings
from sagalog.streams.audit.lane import Ask
from sagalog.streams.audit.lanes import Lanes
from sagalog.streams.audit.letters import BookOf
from sagalog.streams.audit.life import Life
from sagalog.streams.audit.violation import Spot
from sagalog.streams.audit.writing import ours


@dataclass(slots=True)
class _Sent:
    """A request of a firing, until its schedule's log is known."""

    app: str
    ask: Ask
    occasion: Occasion


class Schedules:
    """Compares schedules with what they started. `ordered` as in `Auditor`."""

    def __init__(self, book_of: BookOf, lanes: Lanes, findings: Findings, *, ordered: bool) -> None:
        self._book_of, self._lanes = book_of, lanes
        self._findings, self._ordered = findings, ordered
        self._sent: dict[tuple[str, Occasion], str] = {}
        self._waiting: list[_Sent] = []
        self._fired: list[tuple[Life, Event]] = []

    def asked(self, app: str, ask: Ask) -> None:
        """A request was read: perhaps an owner wrote it for a schedule."""
        request = ask.request
        if not isinstance(request, Start) or request.occasion is None or not ours(ask.source):
            return
        sent = _Sent(app, ask, request.occasion)
        known = self._sent.setdefault((app, request.occasion), ask.instance)
        if known != ask.instance:
            self._say(sent, "S7", f"the firing for {request.occasion.due} started {known} too")
        if self._ordered:
            self._judge_sent(sent)
        else:
            self._waiting.append(sent)

    def fired(self, life: Life, event: Event) -> None:
        """A firing counted: its request stands in a lane."""
        if not event.fact.fires:
            return
        if self._ordered:
            self._judge_fired(life, event)
        else:
            self._fired.append((life, event))

    def judge(self) -> None:
        """Judge what was kept for the end."""
        for sent in self._waiting:
            self._judge_sent(sent)
        for life, event in self._fired:
            self._judge_fired(life, event)
        self._waiting, self._fired = [], []

    def _judge_fired(self, life: Life, event: Event) -> None:
        occasion = Occasion(life.instance, event.fact.run, event.fact.fires)
        known = self._sent.pop((life.app, occasion), None)
        if known is None and not self._lanes.truncated(life.app):
            said = f"it fired for {occasion.due}, and no lane has the request"
            self._findings.about(life, "S7", said, event)

    def _judge_sent(self, sent: _Sent) -> None:
        book = self._book_of(sent.app, sent.occasion.schedule)
        if book is None or book.truncated:
            return
        life = book.life(sent.occasion.schedule)
        if life is None or life.beat is None or sent.occasion.run not in life.beat.runs:
            if not self._past(book, sent.occasion):
                self._say(sent, "S12", f"its schedule {sent.occasion.schedule} never was")
            return
        for what in _unlike(life, sent):
            self._say(sent, "S12", f"it has not the {what} that its schedule gives it")

    def _past(self, book: Book, occasion: Occasion) -> bool:
        return book.forgot(occasion.schedule) and book.knew(occasion.run)

    def _say(self, sent: _Sent, letter: str, sentence: str) -> None:
        record = sent.ask.record
        place = Spot(record.topic, record.partition, record.offset)
        self._findings.add(letter, sent.app, sent.ask.instance, sentence, [place])


def _unlike(life: Life, sent: _Sent) -> Iterator[str]:
    """What a firing's request does not have as its schedule says."""
    request: Start = sent.ask.request
    key = firing_key(life.key, sent.occasion.due)
    if sent.ask.instance != instance_id(life.tenant, life.definition.name, key):
        yield "id"
    if request.key != key:
        yield "key"
    if (request.name, request.tenant) != (life.definition.name, life.tenant):
        yield "name"
    if request.cause_time != sent.occasion.due:
        yield "time"
    lane = sent.ask.record.topic.rpartition(".")[2]
    plans = life.beat.plans if life.beat is not None else []
    if lane != request.priority or not any(_follows(request, *plan) for plan in plans):
        yield "payload"


def _follows(request: Start, plan: Plan, input: Json, priority: str, retention: int) -> bool:
    saga = isinstance(request, StartSaga)
    return (
        (plan.kind == "saga") == saga
        and isinstance(request, StartSaga | RunOperation)
        and request.fingerprint == plan.fingerprint
        and request.queue_limit == plan.queue_limit
        and (request.deadline is None) == (plan.lasting is None)
        and (not isinstance(request, StartSaga) or request.steps == plan.steps)
        and (request.priority, request.retention) == (priority, retention)
        and _bytes(request.input) == _bytes(input)
    )


def _bytes(value: Json) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
