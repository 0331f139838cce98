"""Whether a life is what its request asked for (S12): nothing of another one is in it."""

from collections.abc import Iterator
from dataclasses import replace

from sagalog.schemas import facts as f
from sagalog.schemas.claims import Claim
from sagalog.schemas.definition import Definition
from sagalog.schemas.requests import Compensate, RunOperation, Start
from sagalog.streams.audit.lane import Ask

SAME = (
    *("input", "fingerprint", "key", "priority", "tenant"),
    *("traceparent", "reply_to", "confirm", "parent"),
)
WHERE_ASKED = ("deadline", "retention")


def unlike(ask: Ask, first: f.Started | f.Refused) -> Iterator[str]:
    """In what a first fact differs from the request that it says it answers."""
    request = ask.request
    if isinstance(first, f.Started) and isinstance(request, Start):
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
