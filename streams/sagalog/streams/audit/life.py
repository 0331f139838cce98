"""One life of an instance, as the auditor keeps it: told again from the facts that counted.

It is written from the promises (DESIGN, sections 4 and 6), not from the engine, which it
never asks: where the two disagree, one of them is wrong.
"""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from sagalog.schemas.definition import Definition, Json, Priority, StepSpec
from sagalog.schemas.facts import Failure, Refused, ScheduleStarted, Started
from sagalog.schemas.requests import Claimed, Parent, Plan
from sagalog.schemas.topics import COMPENSATIONS
from sagalog.streams.audit.event import Event, Moment

Kind = Literal["repeated", "stale", "of another life", "of no life", "unreadable"]


class Objection(NamedTuple):
    """Why a fact must not count: which promise it would break, and what kind of fact it is."""

    letter: str
    kind: Kind
    why: str


class Outcome(NamedTuple):
    """The fact that told how one call ended."""

    offset: int
    at: int
    late: bool
    done: bool
    counted: bool


class Letter(NamedTuple):
    """A final failure that is to be in the dead letters."""

    offset: int
    step: str
    number: int
    attempt: int
    error: Failure


@dataclass(slots=True)
class Step:
    """A step. `ready` and `done` are the offsets of the facts that made it so, else -1.

    `number` counts its undos; `undo_...` is about the one that is due.
    """

    spec: StepSpec
    place: int
    ready: int = -1
    ready_at: int = 0
    done: int = -1
    done_at: int = 0
    by_hand: bool = False
    failed: bool = False
    attempt: int = 1
    spent: int = 0
    down_since: int = 0
    doubt: bool = False
    result: Json = None
    number: int = 0
    undo_attempt: int = 1
    undo_spent: int = 0
    undo_down_since: int = 0
    undone_by_hand: bool = False
    progress: int = 0

    @property
    def name(self) -> str:
        """Its name in its definition."""
        return self.spec.name

    @property
    def there(self) -> bool:
        """Whether it runs as an instance of its own."""
        return self.spec.there

    @property
    def undoable(self) -> bool:
        """Whether it can be undone."""
        return self.spec.undo is not None or self.spec.there


Cause = Literal["", "failure", "cancel", "deadline", "parent"]
End = Literal["", "completed", "compensated", "cancelled", "refused"]


@dataclass(slots=True)
class Beat:
    """What makes a life a schedule: its plan, when it is due (ms), and when it was asked for.

    `plans` are all that it has had, each with what was to be started and in which lane, and
    `runs` the names of its lives. `passed` is the latest time that is done with.
    """

    plan: Plan
    due: int
    asked: int
    plans: list[tuple[Plan, Json, Priority, int]]
    runs: set[str]
    passed: int = 0


@dataclass(slots=True)
class Life:
    """A life. `todo` are the steps to undo, the next one last; `end` is set once it has ended.

    `turned` is the offset at which it turned back, `parked` whether a person is waited for.
    `outcomes` tells of calls: by phase, step, number of the undo (0 forward) and attempt;
    `writers` of who told so. `lost` says that the fold and the promises disagree, so that
    nothing more can be told. `claim` is who runs the steps instead of the owner, and
    `claimed` whether there ever was one: a cancel that found it came to nothing. `reached` are
    the statuses that it has had.
    """

    app: str
    instance: str
    run: str
    partition: int
    offset: int
    born_at: int
    late: bool
    definition: Definition
    steps: dict[str, Step]
    retention: int
    input: Json = None
    fingerprint: str = ""
    deadline: int | None = None
    priority: str = "normal"
    parent: Parent | None = None
    order: list[str] = field(default_factory=list[str])
    todo: list[str] = field(default_factory=list[str])
    cause: Cause = ""
    turned: int = -1
    parked: bool = False
    end: End = ""
    ended_at: int = 0
    error: Failure | None = None
    letters: dict[str, Letter] = field(default_factory=dict[str, Letter])
    undo_number: int = 0
    undo_delivered: int = 0
    delivered: str = ""
    unreadable: int = -1
    claim: Claimed | None = None
    claimed: bool = False
    beat: Beat | None = None
    key: str = ""
    tenant: str = ""
    lost: bool = False
    reached: set[str] = field(default_factory=set[str])
    outcomes: dict[tuple[str, str, int, int], Outcome] = field(
        default_factory=dict[tuple[str, str, int, int], Outcome]
    )
    writers: set[tuple[str, str, str, int, int]] = field(
        default_factory=set[tuple[str, str, str, int, int]]
    )
    moments: list[Moment] = field(default_factory=list[Moment])

    @property
    def status(self) -> str:
        """What a client would be told."""
        if self.parked:
            return "stuck" if self.definition.kind == "saga" or self.cause else "dead"
        return self.end or ("compensating" if self.cause else "running")

    @property
    def alone(self) -> bool:
        """Whether it is an operation."""
        return self.definition.kind == "operation"

    @property
    def all_done(self) -> bool:
        """Whether every step is completed; a schedule has none that could be."""
        return self.beat is None and all(step.done >= 0 for step in self.steps.values())

    @property
    def result(self) -> Json:
        """What it completed with."""
        results = {name: step.result for name, step in self.steps.items()}
        return next(iter(results.values())) if self.alone and results else results

    @property
    def closed(self) -> bool:
        """Whether only its retention keeps it: it has ended, and nobody waits for anything."""
        if not self.end or self.todo or self.letters or self.unreadable >= 0 or self.parked:
            return False
        if self.parent is None:
            return True
        if self.undo_number:
            return self.undo_delivered >= self.undo_number
        return bool(self.delivered)

    def waits_for(self, step: Step) -> list[str]:
        """The steps that must complete first."""
        return [name for name in step.spec.after if self.steps[name].done < 0]

    def can_turn(self) -> bool:
        """Whether a cancel or a deadline may still turn it back."""
        return not (self.cause or self.end or self.all_done or self.claim)

    def open_next(self, event: Event) -> None:
        """Steps that wait for nothing any more are ready from here on."""
        for step in self.steps.values():
            if step.ready < 0 and not self.waits_for(step):
                step.ready, step.ready_at = event.offset, event.at

    def resume(self) -> None:
        """Go on where no failed step waits for a person any more."""
        if self.parked and not any(step.failed for step in self.steps.values()):
            self.parked, self.error = False, None

    def turn(self, cause: Cause, event: Event) -> None:
        """Turn back: what is completed is to be undone in reverse, behind what perhaps is.

        Perhaps done is what is ready without an outcome, and what failed for good while
        nobody knows whether it happened (rule 7).
        """
        perhaps = [
            step.name
            for step in self.steps.values()
            if step.done < 0 and step.ready >= 0 and (step.doubt or not step.failed)
        ]
        self.cause, self.turned, self.end, self.parked = cause, event.offset, "", False
        self.ended_at, self.claim = 0, None
        self.todo = [n for n in (*self.order, *perhaps) if self.steps[n].undoable]
        for name in self.todo:
            self.number_anew(self.steps[name])

    def number_anew(self, step: Step) -> None:
        """One more undo of the step."""
        step.number += 1
        step.undo_attempt, step.undo_spent, step.undo_down_since = 1, 0, 0
        step.undone_by_hand = False

    def orphaned(self, step: Step) -> None:
        """A step completed behind the turn: it is the next to be undone, once more."""
        if step.undoable:
            self.todo = [*(name for name in self.todo if name != step.name), step.name]
            self.number_anew(step)

    def undone(self) -> None:
        """The next undo is done, by its handler or by hand."""
        self.todo.pop()
        self.parked = False


def born(app: str, instance: str, event: Event) -> Life:
    """The life that a first fact begins."""
    fact = event.fact
    if isinstance(fact, ScheduleStarted):
        return _scheduled(app, instance, event)
    if not isinstance(fact, Started):
        return _refused(app, instance, event)
    life = Life(
        app=app,
        instance=instance,
        run=fact.run,
        partition=event.partition,
        offset=event.offset,
        born_at=event.at,
        late=event.late,
        definition=fact.definition,
        steps={spec.name: Step(spec, n) for n, spec in enumerate(fact.definition.steps)},
        retention=fact.retention,
        input=fact.input,
        fingerprint=fact.fingerprint,
        deadline=fact.deadline,
        priority=fact.priority,
        parent=fact.parent,
        claim=fact.claim,
        claimed=fact.claim is not None,
        reached={"running"},
    )
    if fact.expired or fact.purged:
        life.steps, life.cause, life.claim = {}, "cancel", None
        life.end, life.ended_at, life.reached = "cancelled", event.at, {"cancelled"}
    life.open_next(event)
    return life


def _scheduled(app: str, instance: str, event: Event) -> Life:
    fact: ScheduleStarted = event.fact
    plans: list[tuple[Plan, Json, Priority, int]] = [
        (fact.plan, fact.input, fact.priority, fact.retention)
    ]
    return Life(
        app=app,
        instance=instance,
        run=fact.run,
        partition=event.partition,
        offset=event.offset,
        born_at=event.at,
        late=event.late,
        definition=Definition(fact.plan.kind, fact.name, ()),
        steps={},
        retention=fact.retention,
        input=fact.input,
        fingerprint=fact.fingerprint,
        priority=fact.priority,
        beat=Beat(fact.plan, fact.due, fact.asked, plans, {fact.run}),
        key=fact.key,
        tenant=fact.tenant,
        reached={"running"},
    )


def _refused(app: str, instance: str, event: Event) -> Life:
    fact: Refused = event.fact
    return Life(
        app=app,
        instance=instance,
        run=fact.run,
        partition=event.partition,
        offset=event.offset,
        born_at=event.at,
        late=event.late,
        definition=Definition("operation", COMPENSATIONS, ()),
        steps={},
        retention=fact.retention,
        parent=fact.parent,
        cause="parent",
        end="refused",
        ended_at=event.at,
        undo_number=fact.number,
        reached={"refused"},
    )


def letter_name(step: Step, number: int, attempt: int) -> str:
    """The name of a final failure within its life, as `DeadLettered` has it."""
    return f"{step.place}/{number}/{attempt}"
