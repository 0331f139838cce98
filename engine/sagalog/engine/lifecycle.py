"""The state machine of an instance: which status may follow which, and the finer phases of one.

Before its first fact it is queued: a request in its lane, which no state knows of yet.
"""

from collections.abc import Mapping
from typing import Literal

from sagalog.engine.instance import Instance, Status
from sagalog.engine.pending import Run, Send, pending

Phase = Status | Literal["scheduled", "retrying"]
"""A status, or what makes a running one wait: its time to begin, or to try again."""

TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    "running": frozenset({"completed", "compensating", "dead", "stuck"}),
    "compensating": frozenset({"compensated", "cancelled", "stuck"}),
    # A child, undone for its parent; a schedule that begins again.
    "completed": frozenset({"compensating", "running"}),
    "compensated": frozenset({"stuck"}),  # the undo of a late completion has failed for good
    "cancelled": frozenset({"stuck", "running"}),
    "dead": frozenset({"running", "compensating"}),
    "stuck": frozenset({"running", "compensating", "compensated", "cancelled"}),
    "refused": frozenset(),
}
"""Which statuses may follow each one, by one fact. Every other step is a bug of the fold."""

FIRST: frozenset[Status] = frozenset({"running", "refused", "cancelled"})
"""How a life may begin; cancelled where it has waited too long for its turn."""


def phase(state: Instance, now: int) -> Phase:
    """The status, told more finely for what waits for its time at `now` (ms)."""
    if state.beat is not None and state.status == "running":
        return "scheduled"
    starts = [action for action in pending(state) if isinstance(action, Run | Send)]
    waits = bool(starts) and all(action.not_before > now for action in starts)
    if state.status != "running" or not waits:
        return state.status
    begun = any(step.status == "completed" or step.attempt > 1 for step in state.steps)
    return "retrying" if begun else "scheduled"
