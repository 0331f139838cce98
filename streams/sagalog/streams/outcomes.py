"""How an instance ended, as a client sees it, and the errors where it did not complete.

NotCompleted            carries the outcome
├── TurnedBack          a step failed, or the deadline passed, and all its effects are undone
├── Cancelled           it was cancelled, and all its effects are undone
├── Parked              dead or stuck: it waits for a person
├── Conflict            the key is in use with another payload
├── Refused             the app cannot serve the request; it is in the dead letters
└── NotFound            there is no such instance (any longer)
"""

from dataclasses import dataclass
from typing import Any, cast

from sagalog.engine import Operation, SagalogError
from sagalog.schemas.definition import Json
from sagalog.schemas.facts import Failure
from sagalog.schemas.replies import Reply


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state in which an instance has settled.

    `results` are the steps' results by name, plain JSON; of an operation alone, its one
    result is `value`. `remaining` names the effects that are not undone, if any.
    """

    instance: str
    status: str
    value: Json
    error: Failure | None
    remaining: tuple[str, ...]

    @classmethod
    def of(cls, reply: Reply) -> "Outcome":
        """The outcome that a reply tells."""
        return cls(reply.instance, reply.status, reply.result, reply.error, reply.remaining)

    @property
    def results(self) -> dict[str, Json]:
        """The results of a saga's steps, by their names."""
        value = self.value
        return cast("dict[str, Json]", value) if isinstance(value, dict) else {}

    def result(self, step: Operation[..., Any], *, name: str | None = None) -> Any:
        """The result of a step, as its handler's return type. Raises KeyError.

        `name` is the step's, where it is not its operation's.
        """
        return step.load(self.results[name or step.name])


class NotCompleted(SagalogError):
    """The instance did not complete; `outcome` says how it stands."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(_sentence(outcome))


class TurnedBack(NotCompleted):
    """It failed or ran out of time, and everything that it did is undone."""


class Cancelled(NotCompleted):
    """It was cancelled, and everything that it did is undone."""


class Parked(NotCompleted):
    """It waits for a person: see `sagalog show` and `sagalog deadletters`."""


class Conflict(NotCompleted):
    """The key is in use with another payload; use another key, or send the same payload."""


class Refused(NotCompleted):
    """The app cannot serve the request; the message says why."""


class NotFound(NotCompleted):
    """There is no such instance, or it has been forgotten after its retention."""


_ERRORS: dict[str, type[NotCompleted]] = {
    "compensated": TurnedBack,
    "refused": Cancelled,
    "cancelled": Cancelled,
    "dead": Parked,
    "stuck": Parked,
}

_WORDS: dict[str, type[NotCompleted]] = {
    "conflict": Conflict,
    "refused": Refused,
    "unknown": NotFound,
}


def raise_unless_completed(reply: Reply) -> Outcome:
    """The outcome, where it is `completed`. Raises the error that fits, else."""
    outcome = Outcome.of(reply)
    if reply.kind in _WORDS:
        raise _WORDS[reply.kind](outcome)
    if outcome.status in _ERRORS:
        raise _ERRORS[outcome.status](outcome)
    return outcome


def _sentence(outcome: Outcome) -> str:
    said = f"{outcome.instance} {outcome.status}".rstrip()
    if outcome.error is not None:
        said += f": {outcome.error.type}: {outcome.error.message}"
    if outcome.remaining:
        said += f" (not undone: {', '.join(outcome.remaining)})"
    return said
