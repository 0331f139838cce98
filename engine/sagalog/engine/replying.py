"""What a client is told about an instance, from its folded state alone (rule 13)."""

from dataclasses import replace
from typing import Literal

from sagalog.engine.instance import Instance
from sagalog.schemas.facts import Failure
from sagalog.schemas.replies import Further, Reply
from sagalog.schemas.requests import ReplyTo


def outcome(to: ReplyTo, instance: str, state: Instance) -> Reply:
    """The end of an instance, or how it is now."""
    return Reply(
        client=to.client,
        request=to.request,
        kind="outcome",
        instance=instance,
        status=state.status,
        result=state.result,
        error=_brief(state.error),
        remaining=state.remaining() if state.status == "stuck" else (),
    )


def further(to: ReplyTo, instance: str, state: Instance, index: int) -> Further:
    """How far a step is that has said so."""
    step = state.steps[index]
    said = step.progress
    assert said is not None, "nothing was said of its progress"
    return Further(
        client=to.client,
        request=to.request,
        instance=instance,
        step=state.definition.steps[index].name,
        attempt=step.attempt,
        number=said.number,
        fraction=said.fraction,
        message=said.message,
        time=said.time,
    )


def so_far(to: ReplyTo, instance: str, state: Instance) -> Reply:
    """How an instance that goes on is now: the results that it has, and what went wrong last."""
    pairs = list(zip(state.definition.steps, state.steps, strict=True))
    results = {spec.name: step.result for spec, step in pairs if step.status == "completed"}
    error = next((step.error for _, step in pairs if step.error), None)
    told = outcome(to, instance, state)
    return replace(told, result=results, error=_brief(error or state.error))


def granted(to: ReplyTo, instance: str, state: Instance) -> Reply:
    """The instance has started, and the client may run its steps."""
    return Reply(to.client, to.request, "started", instance, run=state.run)


def word(
    to: ReplyTo, instance: str, kind: Literal["started", "accepted", "conflict", "unknown"]
) -> Reply:
    """An answer without a result."""
    return Reply(to.client, to.request, kind, instance)


def refused(to: ReplyTo, instance: str, reason: str) -> Reply:
    """The request cannot be served; the client reads why."""
    return Reply(
        to.client, to.request, "refused", instance, error=Failure("invalid", "Refused", reason)
    )


def _brief(error: Failure | None) -> Failure | None:
    if error is None:
        return None
    return Failure(error.kind, error.type, error.message, user_message=error.user_message)
