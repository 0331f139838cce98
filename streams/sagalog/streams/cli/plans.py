"""What an instance still wants done, in words and for scripts."""

from typing import Any

from sagalog.engine.instance import PARKED, Instance
from sagalog.engine.pending import (
    Action,
    Deadline,
    Deliver,
    End,
    Expire,
    Fire,
    Lapse,
    Post,
    Recall,
    Run,
    Send,
    Undo,
    pending,
)
from sagalog.schemas.codec import rfc3339
from sagalog.streams.cli.durations import spoken
from sagalog.streams.cli.times import due


def parked_step(state: Instance) -> str:
    """The step at which an instance waits for a person, or an empty text."""
    if state.status not in PARKED:
        return ""
    if state.cause:
        return state.remaining()[0] if state.undoing else ""
    failed = (n for n, step in enumerate(state.steps) if step.status == "failed")
    return next((state.definition.steps[n].name for n in failed), "")


def plan_words(state: Instance, instance: str, app: str, now: int) -> list[str]:
    """One sentence for each thing that is pending."""
    if state.unreadable >= 0:
        place = f"parked at offset {state.unreadable}, which this version of sagalog cannot read"
        return [f"{place}: run pods of the version that wrote it"]
    told = [_sentence(state, action, now) for action in pending(state)]
    if step := parked_step(state):
        release = f"sagalog release {instance} {step} --app {app}"
        told.append(f"waits for a person: {release} --retry | --resolve JSON | --skip")
    return told


def _sentence(state: Instance, action: Action, now: int) -> str:
    name = _step(state, action)
    match action:
        case Run():
            return f"run {name}, attempt {action.attempt}: {due(action.not_before, now)}"
        case Undo():
            return _undo(state, action, name, now)
        case Send():
            return f"{name} runs elsewhere: waiting for its outcome"
        case Recall():
            return f"{name} runs elsewhere: waiting until its cancel has settled"
        case Expire() | Deadline():
            return f"{name or 'the saga'} runs out of time: {due(action.due, now)}"
        case Fire():
            return f"start {state.definition.name}: {due(action.due, now)}"
        case End() | Lapse():
            return _whole(action)
        case Post():
            return f"the dead letter of {name} is written"
        case Deliver():
            return f"its parent is told: {action.outcome}"


def _whole(action: End | Lapse) -> str:
    if isinstance(action, Lapse):
        return f"its caller runs it, and has {spoken(action.lease)} for that"
    return f"its end is written: {action.status}"


def _undo(state: Instance, action: Undo, name: str, now: int) -> str:
    if state.steps[action.step].status == "ready":
        return f"undo {name}, once its call has ended"
    return f"undo {name}, attempt {action.attempt}: {due(action.not_before, now)}"


def _step(state: Instance, action: Action) -> str:
    number = action.letter.step if isinstance(action, Post) else getattr(action, "step", None)
    return "" if number is None else state.definition.steps[number].name


def plan_documents(state: Instance) -> list[dict[str, Any]]:
    """The same for scripts."""
    return [_document(state, action) for action in pending(state)]


def _document(state: Instance, action: Action) -> dict[str, Any]:
    at = getattr(action, "not_before", 0) or getattr(action, "due", 0)
    said: dict[str, Any] = {"action": action.kind}
    if name := _step(state, action):
        said["step"] = name
    if isinstance(action, Run | Undo | Expire):
        said["attempt"] = action.attempt
    if isinstance(action, End):
        said["status"] = action.status
    return said | ({"at": rfc3339(at)} if at else {})
