"""Which handler an action calls, and with what input."""

from sagalog.engine.instance import Instance
from sagalog.engine.pending import Run, Undo
from sagalog.schemas.definition import Json


def operation_of(state: Instance, action: Run | Undo) -> str:
    """The operation whose handler the action calls."""
    spec = state.definition.steps[action.step]
    return (spec.undo or "") if isinstance(action, Undo) else spec.operation


def input_of(state: Instance, action: Run | Undo) -> Json:
    """The input that the step declares for the call; None where it gets its instance's."""
    spec = state.definition.steps[action.step]
    return spec.undo_input if isinstance(action, Undo) else spec.input
