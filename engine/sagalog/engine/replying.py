"""What a client is told about an instance, from its folded state alone (rule 13)."""

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
    return error and Failure(error.kind, error.type, error.message)
