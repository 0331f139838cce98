"""Parents and their children agree, over partitions and apps (rule 10)."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import orjson

from sagalog.schemas import facts as f
from sagalog.schemas.definition import Json
from sagalog.schemas.ids import child_id
from sagalog.schemas.requests import Parent, RunOperation
from sagalog.schemas.topics import COMPENSATIONS
from sagalog.streams.audit.book import Book
from sagalog.streams.audit.event import Event
from sagalog.streams.audit.findings import Findings
from sagalog.streams.audit.lane import Ask
from sagalog.streams.audit.life import Life, Step
from sagalog.streams.audit.violation import Spot
from sagalog.streams.audit.writing import app_of, home, ours

Books = Callable[[str, int], Book | None]
"""The book of a partition; None where the app is not among those audited."""

Doubt = tuple[str, str]
"""An invariant's letter, and a sentence."""

STEP_FAILED_HERE = frozenset({"Refused", "ResultTooLarge", "Timeout"})
"""Failures of a step that runs elsewhere of which the child, if there is one, knows nothing."""


class Told(NamedTuple):
    """What a parent's log says about a child, to be compared when all is read."""

    life: Life
    step: Step
    event: Event


class Kin:
    """Compares what parents and children say of each other.

    `ordered` says that a child's end is read before its parent hears of it.
    """

    def __init__(
        self, partitions: dict[str, int], books: Books, findings: Findings, *, ordered: bool
    ) -> None:
        self._partitions, self._books = partitions, books
        self._findings, self._ordered = findings, ordered
        self._told: list[Told] = []
        self._orphans: list[tuple[Life, Event]] = []

    # -- a child is born

    def born(self, life: Life, event: Event) -> None:
        """A life began that has a parent."""
        to = life.parent
        if to is None:
            return
        if life.instance != child_id(to.run, to.step):
            said = f"its id does not follow from its parent's run {to.run} and step {to.step}"
            self._findings.about(life, "S12", said, event)
        elif self._ordered:
            self._judge_birth(life, event)
        else:
            self._orphans.append((life, event))

    def _judge_birth(self, life: Life, event: Event) -> None:
        to = life.parent
        book = self._books(to.app, to.partition) if to is not None else None
        if to is None or book is None:
            return
        parent = book.life(to.instance)
        if parent is None or parent.run != to.run:
            if not book.truncated and not book.knew(to.run):
                said = f"its parent {to.instance} of the life {to.run} never was"
                self._findings.about(life, "S12", said, event)
            return
        step = parent.steps.get(to.step)
        if step is None or not step.there or step.ready < 0:
            said = f"its parent {to.instance} did not want {to.step} run"
            self._findings.about(life, "S2", said, event)
            return
        for what in _unlike(parent, step, life):
            said = f"it has not the {what} that its parent {to.instance} gave it"
            self._findings.about(life, "S12", said, event)

    def asked(self, app: str, ask: Ask) -> None:
        """A request that an owner wrote for a child."""
        request = ask.request
        to: Parent | None = getattr(request, "parent", None)
        if to is None or not ours(ask.source):
            return
        place = Spot(ask.record.topic, ask.record.partition, ask.record.offset)
        lane = COMPENSATIONS if not isinstance(request, RunOperation) else request.priority
        if ask.record.topic != f"{app}.{lane}":
            said = f"a {type(request).__name__} of a parent travels in {ask.record.topic}"
            self._findings.add("S13", app, ask.instance, said, [place])
        book = self._books(to.app, to.partition)
        parent = book.life(to.instance) if book is not None else None
        step = parent.steps.get(to.step) if parent is not None and parent.run == to.run else None
        if step is None or step.ready < 0 or not isinstance(request, RunOperation):
            return
        if request.cause_time != step.ready_at:
            said = f"a request for {to.step} names {request.cause_time} as its cause"
            said = f"{said}, and the step was ready at {step.ready_at}"
            self._findings.add("S12", app, ask.instance, said, [place])

    # -- a parent hears of its child

    def counted(self, life: Life, event: Event) -> None:
        """A fact of a parent's counted."""
        fact = event.fact
        if not isinstance(fact, f.StepCompleted | f.StepFailed | f.StepCompensated):
            return
        step = life.steps.get(fact.step)
        if step is None or not step.there or not ours(event.source):
            return
        told = Told(life, step, event)
        if self._ordered:
            self._judge(told)
        else:
            self._told.append(told)

    def _judge(self, told: Told) -> None:
        life, step, event = told
        book = self._child_book(life, step)
        if book is None:
            return
        name = child_id(life.run, step.name)
        child = book.life(name)
        if child is None:
            if not (book.truncated or book.forgot(name)) and not _childless(event):
                said = f"{step.name} ran elsewhere, and there is no instance {name} of it"
                self._findings.about(life, "S12", said, event)
            return
        for letter, sentence in _doubts(child, event):
            self._findings.about(life, letter, f"{step.name} {sentence}", event)

    def _child_book(self, life: Life, step: Step) -> Book | None:
        app = step.spec.operation.rpartition("/")[0] or life.app
        count = self._partitions.get(app, 0)
        if not count:
            return None
        name = child_id(life.run, step.name)
        return self._books(app, home(name, count))

    # -- when all is read

    def judge_told(self) -> None:
        """Compare what was kept for the end."""
        for life, event in self._orphans:
            self._judge_birth(life, event)
        for told in self._told:
            self._judge(told)
        self._orphans, self._told = [], []

    def judge_ends(self, life: Life) -> None:
        """A parent that has come to its end, and its children: all stay, or none does (S3)."""
        if not life.end or life.todo or life.lost:
            return
        for step in life.steps.values():
            book = self._child_book(life, step) if step.there else None
            child = book.life(child_id(life.run, step.name)) if book is not None else None
            if child is None or child.lost or step.by_hand or step.undone_by_hand:
                continue
            stays = child.end == "completed"
            if stays != (life.end == "completed"):
                said = f"it is {life.end}, and its child for {step.name} is {child.status}"
                self._findings.about(life, "S3", said)


def _unlike(parent: Life, step: Step, child: Life) -> Iterator[str]:
    """What a child does not have as its parent gave it."""
    spec = step.spec
    app, _, name = spec.operation.rpartition("/")
    if (app or parent.app) != child.app:
        yield "app"
    if child.end == "refused" or child.status == "refused":
        return
    if name != child.definition.name:
        yield "operation"
    if not _same(child.input, parent.input if spec.input is None else spec.input):
        yield "input"
    if child.priority != parent.priority:
        yield "priority"
    if child.retention != parent.retention:
        yield "retention"


def _childless(event: Event) -> bool:
    """Whether the parent may hear this though there never was a child."""
    return isinstance(event.fact, f.StepFailed)


def _doubts(child: Life, event: Event) -> Iterator[Doubt]:
    """What a parent was told and its child does not say."""
    fact = event.fact
    match fact:
        case f.StepCompleted():
            if "completed" not in child.reached:
                yield "S12", f"completed by what its log says, and its child is {child.status}"
            elif not child.lost and not _same(fact.result, child.result):
                yield "S12", "has another result than its child"
        case f.StepFailed():
            knows = fact.error.type not in STEP_FAILED_HERE and app_of(event.source) == child.app
            if knows and not child.reached & {"compensated", "cancelled", "refused"}:
                yield "S12", f"failed by what its log says, and its child is {child.status}"
        case _:
            if child.undo_number < fact.number:
                yield "S3", f"is undone by what its log says, and its child is {child.status}"


def _same(one: Json, other: Json) -> bool:
    if one == other:
        return True
    options = orjson.OPT_SORT_KEYS
    return orjson.dumps(one, option=options) == orjson.dumps(other, option=options)
