"""Turning back: what is to be undone, in which order, and what counts as perhaps done."""

from typing import Literal

from sagalog.engine.instance import PARKED, Instance, Letter, StepState
from sagalog.schemas.definition import StepSpec
from sagalog.schemas.facts import Failure, StepReleased

Cause = Literal["failure", "cancel", "deadline", "parent"]


def can_turn(state: Instance) -> bool:
    """Whether it may still turn back: not once it has, nor once its last step completed.

    Nor while a caller holds it, who would go on all the same.
    """
    if state.cause or state.claim or state.status not in ("running", "stuck", "dead"):
        return False
    return state.beat is not None or any(step.status != "completed" for step in state.steps)


def parks(state: Instance, spec: StepSpec, error: Failure) -> bool:
    """Whether a final failure waits for a person instead of turning back.

    What gave up on something unavailable always does; a child's parent is told instead. So
    does what follows a caller's effect: it was told of a success.
    """
    if spec.claimed and spec.after:
        return True
    if error.kind == "unavailable":
        return True
    if state.definition.kind == "operation":
        return state.parent is None
    return spec.exhausted == "park" and error.kind != "terminal"


def back(state: Instance, cause: Cause) -> Instance:
    """Turn back: completed steps in the order of their completion, perhaps-done ones on top.

    Perhaps done is every ready step without an outcome, and every failed one of which
    nobody knows whether it happened (rule 7).
    """
    steps = state.steps
    done = [n for n, s in enumerate(steps) if s.status == "completed"]
    done.sort(key=lambda n: steps[n].offset)
    perhaps = [
        n for n, s in enumerate(steps) if s.status == "ready" or (s.status == "failed" and s.doubt)
    ]
    undoing = tuple(n for n in (*done, *perhaps) if state.undoable(n))
    return state._replace(
        status="compensating",
        cause=cause,
        claim=None,
        undoing=undoing,
        steps=tuple(_numbered(s) if n in undoing else s for n, s in enumerate(steps)),
    )


def _numbered(step: StepState) -> StepState:
    return step._replace(
        undos=step.undos + 1, undo_attempt=1, undo_spent=0, undo_retry_at=0, undo_down_since=0
    )


def rejoin(state: Instance, index: int) -> Instance:
    """A completion read after the turn: one more undo, the next one, under a new number."""
    if not state.undoable(index):
        return state
    others = tuple(n for n in state.undoing if n != index)
    steps = tuple(_numbered(s) if n == index else s for n, s in enumerate(state.steps))
    return state._replace(undoing=(*others, index), steps=steps)


def undo_due(state: Instance, step: str, number: int) -> int:
    """The index of the step whose undo `number` is the next one due, or -1."""
    if not state.undoing:
        return -1
    index = state.undoing[-1]
    due = state.definition.steps[index].name == step and state.steps[index].undos == number
    return index if due else -1


def undone(state: Instance) -> Instance:
    """The next undo is done; an instance that had ended, or was stuck, goes on."""
    state = state._replace(undoing=state.undoing[:-1])
    return _unstuck(state) if state.status == "stuck" else state


def _unstuck(state: Instance) -> Instance:
    if not state.ended_at:
        return state._replace(status="compensating")
    return state._replace(status="cancelled" if state.cause == "cancel" else "compensated")


def parked_at(state: Instance, step: str, how: str) -> tuple[int, int] | None:
    """The number of the undo (0 for the step itself) and the attempt at which it is parked.

    None where it is not, or where `how` cannot be: a step that runs elsewhere is never
    tried again (rule 10), since its one child has ended.
    """
    index = state.step_index(step)
    if index < 0 or state.status not in PARKED:
        return None
    at = state.steps[index]
    if state.cause:
        return (at.undos, at.undo_attempt) if state.undoing[-1:] == (index,) else None
    never = how == "retry" and state.definition.steps[index].there
    return None if never or at.status != "failed" else (0, at.attempt)


def release_undo(state: Instance, index: int, fact: StepReleased) -> Instance:
    """A person moves a stuck undo on: it is tried again, or taken as done by hand."""
    step = state.steps[index]
    if fact.how != "retry":
        return undone(state)
    again = step._replace(
        undo_attempt=step.undo_attempt + 1, undo_spent=0, undo_retry_at=0, undo_down_since=0
    )
    steps = (*state.steps[:index], again, *state.steps[index + 1 :])
    return _unstuck(state._replace(steps=steps))


def named(letter: Letter) -> str:
    """A letter's name within its life: step, number of the undo, attempt."""
    return f"{letter.step}/{letter.number}/{letter.attempt}"
