"""What a state still wants done: state -> actions. Pure and total; doing is the processor's.

Actions are tuples, for the sake of fast hashing; `kind` tells two of the same shape apart.
"""

from typing import Literal, NamedTuple

from sagalog.engine.instance import ENDED, Instance, Letter


class Run(NamedTuple):
    """Call the step's handler, not before `not_before` (ms)."""

    step: int
    attempt: int
    not_before: int
    kind: Literal["run"] = "run"


class Send(NamedTuple):
    """Send the step as a request to where it runs, not before `not_before` (ms).

    Sent again until its outcome is read.
    """

    step: int
    not_before: int = 0
    kind: Literal["send"] = "send"


class Recall(NamedTuple):
    """Send a cancel after the step that runs elsewhere: the saga has turned back."""

    step: int
    kind: Literal["recall"] = "recall"


class Undo(NamedTuple):
    """Send the `Compensate` of undo `number`, not before `not_before` (ms)."""

    step: int
    number: int
    attempt: int
    not_before: int
    kind: Literal["undo"] = "undo"


class Expire(NamedTuple):
    """Append the timeout of a step that runs elsewhere, when `due` (ms) has come."""

    step: int
    attempt: int
    due: int
    kind: Literal["expire"] = "expire"


class Lapse(NamedTuple):
    """Append `ClaimExpired` when `lease` (ms) has passed since this owner read of the claim."""

    number: int
    lease: int
    kind: Literal["lapse"] = "lapse"


class Deadline(NamedTuple):
    """Append `DeadlinePassed` when `due` (ms) has come."""

    due: int
    kind: Literal["deadline"] = "deadline"


class Fire(NamedTuple):
    """Send what the schedule starts, then append `ScheduleFired`, when `due` (ms) has come."""

    due: int
    kind: Literal["fire"] = "fire"


class End(NamedTuple):
    """Append exactly this end."""

    status: Literal["completed", "compensated", "cancelled"]
    kind: Literal["end"] = "end"


class Post(NamedTuple):
    """Write the dead letter, then `DeadLettered`."""

    letter: Letter
    kind: Literal["post"] = "post"


class Deliver(NamedTuple):
    """Append the outcome to the parent's log, then `OutcomeDelivered`."""

    outcome: Literal["completed", "failed", "compensated"]
    number: int
    kind: Literal["deliver"] = "deliver"


Action = Run | Send | Recall | Undo | Expire | Lapse | Deadline | Fire | End | Post | Deliver


def pending(state: Instance) -> list[Action]:
    """All that the state wants done now or at a time that stands in the action."""
    if state.unreadable >= 0:
        return []
    actions: list[Action] = []
    if state.beat is not None and state.status == "running":
        actions.append(Fire(state.beat.due) if state.beat.due else End("completed"))
    elif state.status == "running":
        _forward(state, actions)
    elif state.cause:
        _backward(state, actions)
    if state.letters:
        actions += [Post(letter) for letter in state.letters]
    if state.parent is not None:
        _upward(state, actions)
    return actions


def _forward(state: Instance, actions: list[Action]) -> None:
    unsettled = False
    for number, spec in enumerate(state.definition.steps):
        step = state.steps[number]
        if step.status == "completed":
            continue
        unsettled = True
        if step.status != "ready" or state.claim is not None:
            continue
        if not spec.there:
            actions.append(Run(number, step.attempt, step.retry_at))
            continue
        actions.append(Send(number, step.retry_at))
        if spec.timeout and not spec.spread:  # a spread step's own instance keeps its timeout
            actions.append(Expire(number, step.attempt, step.begins + spec.timeout))
    if not unsettled:
        actions.append(End("completed"))
    elif state.claim is not None:
        actions.append(Lapse(state.claim.number, state.claim.lease))
    elif state.deadline is not None:
        actions.append(Deadline(state.deadline))


def _backward(state: Instance, actions: list[Action]) -> None:
    if state.status == "stuck":
        return
    if state.undoing:
        number = state.undoing[-1]
        step = state.steps[number]
        actions.append(Undo(number, step.undos, step.undo_attempt, step.undo_retry_at))
    elif state.status == "compensating":
        actions.append(End("cancelled" if state.cause == "cancel" else "compensated"))
    for number in state.undoing[:-1]:
        if state.definition.steps[number].there and state.steps[number].status == "ready":
            actions.append(Recall(number))  # noqa: PERF401 (reads better than a generator)


def _upward(state: Instance, actions: list[Action]) -> None:
    if state.status not in ENDED or state.undoing:
        return
    if state.undo_number:
        if state.undo_number > state.undo_delivered:
            actions.append(Deliver("compensated", state.undo_number))
    elif not state.delivered:
        actions.append(Deliver("completed" if state.status == "completed" else "failed", 0))
