"""What has happened: past participles on `<app>.events`, folded in log order by everybody."""

from dataclasses import dataclass, field
from typing import Literal

from sagalog.schemas.definition import Definition, Json, Priority
from sagalog.schemas.limits import (
    LimitSet,
    PermitsAsked,
    PermitsExpired,
    PermitsGranted,
    PermitsRefilled,
)
from sagalog.schemas.pauses import BreakerClosed, BreakerOpened, Paused, PauseFact, Resumed
from sagalog.schemas.requests import Claimed, Occasion, Parent, Plan, ReplyTo

FailureKind = Literal["terminal", "error", "timeout", "unavailable", "cancelled", "invalid"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call of a handler brought no result. `type` is the exception's name.

    `user_message` is fit for the end user, where the handler gave one.

    terminal: declared final, or refused before the handler ran. error: any other
    exception. timeout: cut off. unavailable: something it needs is away, nothing was done.
    cancelled: a child was cancelled. invalid: it ran, and its result cannot be kept.
    """

    kind: FailureKind
    type: str
    message: str
    traceback: str = ""
    user_message: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """The first fact of a life: all that the fold needs, the definition included.

    `lane` and `lane_offset` say which request it answers (rule 5). No handler is called before
    `not_before` (ms). `expired` says that it waited longer than it was to, and
    `purged` by whom and why its lane was purged: either is its end too.
    `claim` grants the steps to a caller: nobody else runs them until it ends (rule 12).
    """

    run: str
    definition: Definition
    input: Json
    fingerprint: str
    lane: str
    lane_offset: int
    retention: int
    key: str | None = None
    priority: Priority = "normal"
    deadline: int | None = None
    tenant: str = ""
    traceparent: str | None = None
    reply_to: ReplyTo | None = None
    confirm: bool = False
    parent: Parent | None = None
    not_before: int = 0
    expired: bool = False
    purged: str = ""
    occasion: Occasion | None = None
    claim: Claimed | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The first fact of a life that never ran: its undo came before its request (rule 8)."""

    run: str
    retention: int
    lane: str
    lane_offset: int
    number: int
    parent: Parent | None = None


@dataclass(frozen=True, slots=True)
class ScheduleStarted:
    """The first fact of a schedule's life. `due` is when it fires first (ms).

    `asked` is when its request was made, by the clock of whoever made it (ms).
    """

    run: str
    name: str
    plan: Plan
    input: Json
    fingerprint: str
    lane: str
    lane_offset: int
    retention: int
    due: int
    asked: int = 0
    key: str = ""
    priority: Priority = "normal"
    tenant: str = ""
    traceparent: str | None = None
    reply_to: ReplyTo | None = None
    confirm: bool = False


@dataclass(frozen=True, slots=True)
class ScheduleFired:
    """The firing set for `due` (ms) has come (rule 11); the next one is set for `next_due`.

    `fires` is the time whose request stands in its lane: a later one where some were
    missed, 0 where all that were due are passed over. `next_due` 0 means never again.
    `asked` says by which plan that is so: one that took its place meanwhile has other times.
    """

    run: str
    due: int
    fires: int
    next_due: int
    asked: int = 0


@dataclass(frozen=True, slots=True)
class ScheduleReplaced:
    """From now on the schedule goes by another plan; one that had ended begins again, as `life`.

    So facts about what it was do not count for what it is (rule 4).
    """

    run: str
    life: str
    plan: Plan
    input: Json
    fingerprint: str
    lane: str
    lane_offset: int
    retention: int
    due: int
    asked: int
    priority: Priority = "normal"


@dataclass(frozen=True, slots=True)
class StepCompleted:
    """A step has its result; it is never computed again."""

    run: str
    step: str
    attempt: int
    result: Json = None


@dataclass(frozen=True, slots=True)
class StepProgressed:
    """How far a call says that it is: `fraction` from 0 to 1. `number` counts within the call."""

    run: str
    step: str
    attempt: int
    number: int
    fraction: float
    message: str = ""


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A call failed. `final` ends the trying, else `retry_at` (ms) says when it goes on.

    `counted` is false where the call uses up no attempt (`Unavailable`).
    """

    run: str
    step: str
    attempt: int
    error: Failure
    final: bool
    retry_at: int = 0
    counted: bool = True


@dataclass(frozen=True, slots=True)
class StepCompensated:
    """Undo `number` of a step is done."""

    run: str
    step: str
    number: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class CompensationFailed:
    """A call of an undo failed; `final` leaves the instance stuck."""

    run: str
    step: str
    number: int
    attempt: int
    error: Failure
    final: bool
    retry_at: int = 0
    counted: bool = True


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """The instance turns back, because somebody asked."""

    run: str
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class CompensationRequested:
    """The child turns back, because its parent undoes the step (undo `number`)."""

    run: str
    number: int


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """The deadline set for `due` (ms) has passed (rule 11)."""

    run: str
    due: int


@dataclass(frozen=True, slots=True)
class StepReleased:
    """A person moved a parked step on, or its undo `number` where that is not 0."""

    run: str
    step: str
    how: Literal["retry", "resolve", "skip"]
    attempt: int
    number: int = 0
    result: Json = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class ClaimReleased:
    """The holder of claim `number` has told what it did, and leaves the rest to the owner."""

    run: str
    number: int


@dataclass(frozen=True, slots=True)
class ClaimExpired:
    """The lease of claim `number` has passed: nobody knows what its holder has done (rule 12)."""

    run: str
    number: int


@dataclass(frozen=True, slots=True)
class Completed:
    """The end of an instance whose every step is completed; their results stand with them."""

    run: str


@dataclass(frozen=True, slots=True)
class Compensated:
    """The end of an instance that turned back and whose every effect is undone."""

    run: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The same end, where the instance turned back because it was cancelled."""

    run: str


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """A final failure stands in `<app>.deadletters` under the id `letter`."""

    run: str
    letter: str


@dataclass(frozen=True, slots=True)
class OutcomeDelivered:
    """The parent's log holds the child's outcome: its end, or its undo `number` (rule 10)."""

    run: str
    outcome: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The instance has left; `low` is the low water of each lane (rules 3 and 5)."""

    run: str
    low: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Taken:
    """A new owner of the partition starts to act behind this fact (rule 1)."""

    owner: str


Fact = (
    Started
    | Refused
    | ScheduleStarted
    | ScheduleFired
    | ScheduleReplaced
    | StepCompleted
    | StepProgressed
    | StepFailed
    | StepCompensated
    | CompensationFailed
    | CancelRequested
    | CompensationRequested
    | DeadlinePassed
    | StepReleased
    | ClaimReleased
    | ClaimExpired
    | Completed
    | Compensated
    | Cancelled
    | DeadLettered
    | OutcomeDelivered
    | Forgotten
    | Taken
    | PermitsAsked
    | PermitsExpired
    | PermitsRefilled
    | LimitSet
    | PermitsGranted
    | Paused
    | Resumed
    | BreakerOpened
    | BreakerClosed
)

PartitionFact = Taken | PauseFact
"""Those of no instance: they are about the partition."""
