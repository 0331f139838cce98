"""What is asked of an app: imperatives on the lanes, each answered by facts."""

from dataclasses import dataclass, field
from typing import Literal

from sagalog.schemas.definition import Json, Kind, Priority, StepSpec


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """Where a client listens: its partition of `<app>.replies`, its name, and the request."""

    partition: int
    client: str
    request: str


@dataclass(frozen=True, slots=True)
class Parent:
    """The step that waits for a child: its address in the log, and the life it belongs to."""

    app: str
    partition: int
    instance: str
    run: str
    step: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who runs an instance's steps instead of its owner: one call of a caller, by name.

    `lease` is in ms: the owner counts it from reading the grant, the caller from its request.
    """

    by: str
    lease: int


@dataclass(frozen=True, slots=True)
class Occasion:
    """Which firing this is: of the schedule with this id and life, due at `due` (ms)."""

    schedule: str
    run: str
    due: int


@dataclass(frozen=True, slots=True)
class Start:
    """What `StartSaga` and `RunOperation` share. Times and durations in milliseconds.

    `fingerprint` tells a repeat (the same payload) from a conflict (another payload).
    `cause_time` is the time of what caused the request: of the fact, where the engine made
    it, of the first sending, where a client did. A repeat that is appended later than
    that plus the retention is refused, since its first may have been forgotten.
    `not_before` is the time at which it may begin. `queue_limit` is how long it may wait for
    its turn, counted from then or from its append; 0 for ever, None as the operation declares.
    `any_payload` says that a repeat with another payload is no conflict.
    """

    name: str
    input: Json
    fingerprint: str
    key: str | None = None
    priority: Priority = "normal"
    deadline: int | None = None
    retention: int | None = None
    tenant: str = ""
    traceparent: str | None = None
    reply_to: ReplyTo | None = None
    confirm: bool = False
    parent: Parent | None = None
    cause_time: int | None = None
    not_before: int | None = None
    queue_limit: int | None = None
    any_payload: bool = False
    occasion: Occasion | None = None


@dataclass(frozen=True, slots=True)
class StepData:
    """One step of a saga given as data. `timeout` in milliseconds, None as declared.

    `after` None means after the step before it in the list. `parameters` None means the
    saga's input; `max_retries` None means as the operation declares.
    """

    operation: str
    name: str | None = None
    parameters: Json = None
    compensation: str | None = None
    compensation_parameters: Json = None
    max_retries: int | None = None
    timeout: int | None = None
    after: tuple[str, ...] | None = None
    spread: bool = False


@dataclass(frozen=True, slots=True)
class StartSaga(Start):
    """Start a saga, by the name that the app declares or from `steps` given as data."""

    steps: tuple[StepData, ...] | None = None


@dataclass(frozen=True, slots=True)
class RunOperation(Start):
    """Run one operation as an instance of its own.

    `step` is a spread step as its saga declares it, where that asked.
    """

    step: StepSpec | None = None


CatchUp = Literal["latest", "all", "none"]
CATCH_UPS: tuple[CatchUp, ...] = ("latest", "all", "none")


@dataclass(frozen=True, slots=True)
class Plan:
    """When a schedule starts something, and how. Durations in milliseconds.

    `every` is a cron expression, read in the time of `zone`. `fingerprint` is that of an
    ordinary request for the same: who asks for a firing by its key finds it. `catch_up` says
    what is started of that which was due while nobody worked: the newest, all, or none.
    `lasting` is the deadline of each, from its start. `steps` are a saga given as data.
    """

    every: str
    zone: str = "UTC"
    kind: Kind = "operation"
    fingerprint: str = ""
    catch_up: CatchUp = "latest"
    lasting: int | None = None
    queue_limit: int | None = None
    steps: tuple[StepData, ...] | None = None


@dataclass(frozen=True, slots=True)
class Schedule(Start):
    """Start `name` again and again, as `plan` says. `retention` is that of each firing too.

    `replaces` says that it takes the place of another plan under the same key.
    Of each firing `plan` says deadline and queue limit, not this request.
    """

    plan: Plan = field(kw_only=True)
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Cancel:
    """Turn an instance back, for `reason`, asked `by` whom."""

    reason: str = ""
    by: str = ""
    run: str | None = None
    reply_to: ReplyTo | None = None


@dataclass(frozen=True, slots=True)
class Compensate:
    """Undo: one step of an instance (`step`), or a whole child (`parent` says for whom).

    `number` counts the undos of one step, `attempt` the calls of one undo. `known` says
    that the parent has read the child's completion, so that there is something to undo.
    """

    number: int
    run: str | None = None
    step: str | None = None
    attempt: int = 1
    parent: Parent | None = None
    known: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """Move a parked step on: try it again, take `result` as its outcome, or skip it.

    `number` and `attempt`, where given, say at which of its undos (0 for the step itself)
    and calls the person saw it parked: one that has moved on since is left alone.
    """

    step: str
    how: Literal["retry", "resolve", "skip"] = "retry"
    result: Json = None
    by: str = ""
    reply_to: ReplyTo | None = None
    number: int = 0
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Inquire:
    """Ask for an instance's outcome, now if it has ended, else when it ends.

    With `follow` how far it is is told too, until then.
    """

    reply_to: ReplyTo
    wait: bool = True
    follow: bool = False


@dataclass(frozen=True, slots=True)
class Purge:
    """Let what waits in `lane` end as cancelled: every start that stands below offset `below`.

    For one partition, that of its subject; `reason` and `by` go into each one's first fact.
    Starts that have been taken in, and those that a parent waits for, are left alone.
    """

    lane: str
    below: int
    reason: str = ""
    by: str = ""


Request = StartSaga | RunOperation | Schedule | Cancel | Compensate | Release | Inquire | Purge
