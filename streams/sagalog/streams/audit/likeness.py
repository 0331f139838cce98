"""Whether a life is what its request asked for (S12): nothing of another one is in it."""

from collections.abc import Iterator
from dataclasses import replace

from sagalog.schemas import facts as f
from sagalog.schemas.claims import Claim
from sagalog.schemas.definition import Definition
from sagalog.schemas.requests import Compensate, RunOperation, Schedule, Start
from sagalog.streams.audit.lane import Ask

SAME = (
    *("input", "fingerprint", "key", "priority", "tenant"),
    *("traceparent", "reply_to", "confirm", "parent", "occasion"),
)
OF_SCHEDULE = (
    *("name", "plan", "input", "fingerprint", "priority", "tenant"),
    *("traceparent", "reply_to", "confirm"),
)
WHERE_ASKED = ("deadline", "retention")


def unlike(ask: Ask, first: f.Started | f.Refused | f.ScheduleStarted) -> Iterator[str]:
    """In what a first fact differs from the request that it says it answers."""
    request = ask.request
    if isinstance(first, f.ScheduleStarted) and isinstance(request, Schedule):
        yield from _unlike_schedule(request, first)
    elif isinstance(request, Schedule):
        yield "kind"
    elif isinstance(first, f.Started) and isinstance(request, Start):
        yield from _unlike(request, first)
    elif isinstance(first, f.Refused) and isinstance(request, Compensate):
        if (request.parent, request.number) != (first.parent, first.number):
            yield "parent"
    else:
        yield "kind"


def _unlike(request: Start, first: f.Started) -> Iterator[str]:
    for name in SAME:
        if getattr(request, name) != getattr(first, name):
            yield name
    for name in WHERE_ASKED:
        if getattr(request, name) not in (None, getattr(first, name)):
            yield name
    if (request.not_before or 0) != first.not_before:
        yield "not_before"
    if request.name != first.definition.name:
        yield "name"
    if (request.by if isinstance(request, Claim) else "") != (
        first.claim.by if first.claim else ""
    ):
        yield "claim"
    if isinstance(request, RunOperation) and request.step is not None:
        spec = replace(request.step, after=(), spread=False, input=None)
        if first.definition != Definition("operation", request.name, (spec,)):
            yield "definition"


def _unlike_schedule(request: Schedule, first: f.ScheduleStarted) -> Iterator[str]:
    for name in OF_SCHEDULE:
        if getattr(request, name) != getattr(first, name):
            yield name
    if (request.key or request.name) != first.key:
        yield "key"
    if request.retention not in (None, first.retention):
        yield "retention"
    if (request.cause_time or 0) != first.asked:
        yield "cause_time"
    if first.due <= (request.not_before or 0) - 1:
        yield "not_before"
