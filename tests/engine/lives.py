"""Lives of an instance, fact by fact, straight through `evolve`: no log, no partition."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, Self

from sagalog.engine.evolve import Here, evolve
from sagalog.engine.instance import Instance
from sagalog.schemas import facts as f
from sagalog.schemas.definition import Definition, RetrySpec, StepSpec
from sagalog.schemas.requests import Claimed, Parent, Plan

PARENT = Parent("orders", 0, "parent", "parent-run", "charge")
ERROR = f.Failure("error", "ValueError", "planted")
TERMINAL = f.Failure("terminal", "Terminal", "planted")
TIMEOUT = f.Failure("timeout", "Timeout", "planted")
AWAY = f.Failure("unavailable", "Unavailable", "planted")


def spec(name: str, **fields: Any) -> StepSpec:
    """A step with an undo of its own."""
    usual = {"operation": name, "undo": f"undo-{name}", "retry": RetrySpec(jitter=0)}
    return StepSpec(name, **{**usual, **fields})


CHAIN = Definition("saga", "chain", (spec("a"), spec("b", after=("a",)), spec("c", after=("b",))))
WIDE = Definition("saga", "wide", (spec("a"), spec("b"), spec("c", after=("a", "b"))))
CAREFUL = Definition("saga", "careful", (spec("a"), spec("b", after=("a",), exhausted="park")))
CRITICAL = Definition(
    "saga",
    "a",
    (spec("a", claimed=True), spec("b", after=("a",), claimed=True, exhausted="park")),
)
ALONE = Definition("operation", "a", (spec("a"),))
REMOTE = Definition(
    "saga", "remote", (spec("a"), spec("b", operation="x/b", undo=None, after=("a",), timeout=30))
)


class Life:
    """One life: `then` folds facts, each one offset and one second after the one before."""

    def __init__(self, definition: Definition = CHAIN, **started: Any) -> None:
        self.offset, self.time, self.taken = 9, 10_000, -1
        self.low: dict[str, int] = {}
        self.instance: Instance | None = None
        self.ignored: list[Any] = []
        fields: dict[str, Any] = {
            "run": "run",
            "definition": definition,
            "input": {"n": 1},
            "fingerprint": "f",
            "lane": "normal",
            "lane_offset": 0,
            "retention": 60_000,
        }
        self.then(f.Started(**{**fields, **started}))

    @property
    def state(self) -> Instance:
        """The state now."""
        assert self.instance is not None, "the instance has left"
        return self.instance

    def here(self) -> Here:
        """Where the next fact stands."""
        self.offset += 1
        self.time += 1000
        return Here(self.offset, self.time, self.taken, self.low)

    def then(self, *facts: Any) -> Self:
        """Fold these facts; those that change nothing are kept in `ignored`."""
        for fact in facts:
            after = evolve(self.instance, fact, self.here())
            if after is self.instance:
                self.ignored.append(fact)
            self.instance = after
        return self

    def take(self) -> Self:
        """Another owner takes the partition."""
        self.here()
        self.taken = self.offset
        return self

    def undoing(self) -> list[str]:
        """The steps that are still to be undone, the next one first."""
        return [*self.state.remaining()]

    def statuses(self) -> list[str]:
        """The status of each step."""
        return [step.status for step in self.state.steps]


def done(step: str, attempt: int = 1, result: Any = "result") -> f.StepCompleted:
    """A step is completed."""
    return f.StepCompleted("run", step, attempt, result)


def failed(
    step: str, attempt: int = 1, error: f.Failure = ERROR, *, final: bool = True, **fields: Any
) -> f.StepFailed:
    """A step has failed, for good unless said otherwise."""
    return f.StepFailed("run", step, attempt, error, final, **fields)


def undone(step: str, number: int = 1) -> f.StepCompensated:
    """An undo is done."""
    return f.StepCompensated("run", step, number)


def not_undone(
    step: str, number: int = 1, attempt: int = 1, *, final: bool = True, **fields: Any
) -> f.CompensationFailed:
    """An undo has failed, for good unless said otherwise."""
    return f.CompensationFailed("run", step, number, attempt, ERROR, final, **fields)


def released(
    step: str, how: Literal["retry", "resolve", "skip"] = "retry", attempt: int = 1, number: int = 0
) -> f.StepReleased:
    """A person moved a parked step on, or its undo `number`."""
    return f.StepReleased("run", step, how, attempt, number=number, result="by hand")


def schedule_started(**started: Any) -> f.ScheduleStarted:
    """The first fact of a schedule that is due every minute."""
    fields: dict[str, Any] = {
        "run": "run",
        "name": "a",
        "plan": Plan("* * * * *"),
        "input": {"n": 1},
        "fingerprint": "f",
        "lane": "normal",
        "lane_offset": 0,
        "retention": 3_600_000,
        "due": 60_000,
        "asked": 5,
        "key": "a",
    }
    return f.ScheduleStarted(**{**fields, **started})


def scheduled(**started: Any) -> Life:
    """A schedule that has not fired yet."""
    life = Life()
    life.instance = None
    return life.then(schedule_started(**started))


def fired(
    due: int, fires: int | None = None, next_due: int | None = None, *, asked: int = 5
) -> f.ScheduleFired:
    """A firing of a schedule that is due every minute."""
    at = due if fires is None else fires
    following = (at or due) + 60_000 if next_due is None else next_due
    return f.ScheduleFired("run", due, at, following, asked)


def replaced(asked: int, **fields: Any) -> f.ScheduleReplaced:
    """A schedule goes by another plan: due every hour."""
    usual: dict[str, Any] = {"lane": "normal", "lane_offset": 1, "retention": 7, "due": 3_600_000}
    plan = Plan("0 * * * *")
    return f.ScheduleReplaced(
        "run", "run2", plan, {"n": 2}, "g", **{**usual, **fields}, asked=asked
    )


CANCEL = f.CancelRequested("run")
COMPLETED = f.Completed("run")
COMPENSATED = f.Compensated("run")
CANCELLED = f.Cancelled("run")


def refused() -> Life:
    """The life of a child that was undone before it was asked for."""
    life = Life()
    life.instance = None
    return life.then(f.Refused("run", 60_000, "compensations", 0, 1, PARENT))


def unreadable() -> Life:
    """A life with a fact that this code cannot read."""
    life = Life().then(done("a"))
    life.instance = life.state._replace(unreadable=life.offset)
    return life


def completed(**started: Any) -> Life:
    """A chain that has completed."""
    return Life(**started).then(done("a"), done("b"), done("c"), COMPLETED)


STATUSES: Mapping[str, Callable[[], Life]] = {
    "running": lambda: Life().then(done("a")),
    "claimed": lambda: Life(claim=Claimed("ann", 30_000)),
    "compensating": lambda: Life().then(done("a"), failed("b", error=TERMINAL)),
    "cancelling": lambda: Life().then(done("a"), CANCEL),
    "completed": completed,
    "completed child": lambda: completed(parent=PARENT),
    "compensated": lambda: Life().then(failed("a", error=TERMINAL), COMPENSATED),
    "cancelled": lambda: Life().then(CANCEL, undone("a"), CANCELLED),
    "dead": lambda: Life(ALONE).then(failed("a")),
    "stuck forward": lambda: Life(CAREFUL).then(done("a"), failed("b")),
    "stuck undo": lambda: Life().then(done("a"), failed("b"), not_undone("a")),
    "refused": refused,
    "unreadable": unreadable,
    "scheduled": scheduled,
    "scheduled no more": lambda: scheduled().then(CANCEL, CANCELLED),
}
"""A life in every status, by name."""
