"""The folded state of one instance: a saga, or an operation alone. Immutable."""

from typing import Literal, NamedTuple

from sagalog.schemas.definition import Definition, Json, Priority, derived
from sagalog.schemas.facts import Failure
from sagalog.schemas.requests import Parent, Plan, ReplyTo

Status = Literal[
    "running", "compensating", "completed", "compensated", "cancelled", "dead", "stuck", "refused"
]

ENDED: frozenset[str] = frozenset({"completed", "compensated", "cancelled", "refused"})
PARKED: frozenset[str] = frozenset({"dead", "stuck"})
SETTLED: frozenset[str] = ENDED | PARKED
"""Where a client need not wait any longer."""


class Progress(NamedTuple):
    """How far the call that is under way said that it is, at `time` (ms)."""

    fraction: float
    message: str
    number: int
    time: int


class StepState(NamedTuple):
    """One step. Times in milliseconds.

    waiting -> ready -> completed | failed; `offset` and `time` are those of the fact that
    gave it its status. `attempt` numbers the call that is due, `spent` counts the
    attempts used up, `down_since` is when `Unavailable` began.
    `doubt` says that a call timed out, or ended without a result that could be kept:
    nobody knows whether it happened.
    `undos` numbers the undo that is due, or was done last: 0 where there was none.
    Rows of tables hold the fields by their places: new ones go last, with a default.
    """

    status: Literal["waiting", "ready", "completed", "failed"] = "waiting"
    offset: int = -1
    time: int = 0
    attempt: int = 1
    spent: int = 0
    retry_at: int = 0
    down_since: int = 0
    doubt: bool = False
    result: Json = None
    error: Failure | None = None
    undos: int = 0
    undo_attempt: int = 1
    undo_spent: int = 0
    undo_retry_at: int = 0
    undo_down_since: int = 0
    progress: Progress | None = None

    @property
    def begins(self) -> int:
        """When it became ready, or was to begin, whichever is later."""
        return max(self.time, self.retry_at)


NOTHING = b"null"
"""No input, as JSON."""

UNREADABLE = Definition("saga", "unreadable", ())
"""The definition of what this code knows nothing of but its id."""

WAITING = StepState()


class Letter(NamedTuple):
    """A final failure: of the forward handler (`number` 0) or of undo `number` of a step.

    It holds its error, since the step's own may be another one when it is posted.
    """

    step: int
    number: int
    attempt: int
    error: Failure


class Beat(NamedTuple):
    """What makes an instance a schedule: its plan, and where it stands. Times in ms.

    `due` is when it fires next, 0 for never again; `last` what it started last; `asked`
    when the request of its plan was made; `passed` the latest time that is done with.
    """

    plan: Plan
    due: int
    asked: int = 0
    last: int = 0
    passed: int = 0


class Held(NamedTuple):
    """A claim: the call of a caller that runs the steps, and its lease in ms (rule 12)."""

    by: str
    lease: int
    number: int = 1


class Instance(NamedTuple):
    """One life of one instance, folded up to and with the fact at `offset`.

    `input` is JSON as bytes: a third of the room, and a handler gets a copy of its own.
    `undoing` lists the indexes of the steps that are still to be undone, the next one
    last. `cause` says why it turned back. `letters` are final failures that are not yet
    in the dead letters; `delivered` is the outcome that the parent's log holds, with the
    number of its undo. `unreadable` is the offset of a fact that this code cannot read:
    the instance is parked there (rule 14). While there is a `claim` its holder runs the steps.
    """

    run: str
    status: Status
    definition: Definition
    input: bytes
    fingerprint: str
    retention: int
    started_at: int
    priority: Priority = "normal"
    key: str | None = None
    tenant: str = ""
    traceparent: str | None = None
    reply_to: ReplyTo | None = None
    confirm: bool = False
    parent: Parent | None = None
    deadline: int | None = None
    undoing: tuple[int, ...] = ()
    cause: Literal["", "failure", "cancel", "deadline", "parent"] = ""
    ended_at: int = 0
    result: Json = None
    error: Failure | None = None
    letters: tuple[Letter, ...] = ()
    delivered: str = ""
    undo_number: int = 0
    undo_delivered: int = 0
    unreadable: int = -1
    beat: Beat | None = None
    claim: Held | None = None
    steps: tuple[StepState, ...] = ()
    offset: int = -1

    # The two fields that nearly every fact changes stand last: a slice is four times
    # faster than `_replace`. The order of a row is another one (rows.py).

    def at(self, offset: int) -> "Instance":
        """The same state, folded up to `offset`."""
        return Instance._make((*self[:-1], offset))

    def with_steps(self, steps: tuple[StepState, ...]) -> "Instance":
        """The same state with other steps."""
        return Instance._make((*self[:-2], steps, self.offset))

    @property
    def ended(self) -> bool:
        """Whether it has reached its end; a late orphan may still be undone behind it."""
        return self.status in ENDED

    def step_index(self, step: str) -> int:
        """The step's place in the definition, or -1."""
        return derived(self.definition).places.get(step, -1)

    def undoable(self, index: int) -> bool:
        """Whether the step can be undone: here by its undo, elsewhere by its own app."""
        spec = self.definition.steps[index]
        return spec.undo is not None or spec.there

    def remaining(self) -> tuple[str, ...]:
        """The steps whose effects are not undone, the next to undo first."""
        return tuple(self.definition.steps[n].name for n in reversed(self.undoing))
