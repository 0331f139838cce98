"""The end of a claim, as the fold has it (rule 12)."""

from sagalog.engine.instance import Instance, StepState


def released(state: Instance, number: int) -> Instance:
    """The holder is done with it: what is left is its owner's, from where it stands."""
    return state._replace(claim=None) if holds(state, number) else state


def expired(state: Instance, number: int) -> Instance:
    """The lease has passed: what was ready has perhaps been done, and is called once more."""
    if not holds(state, number):
        return state
    return state._replace(claim=None, steps=tuple(_again(step) for step in state.steps))


def holds(state: Instance, number: int) -> bool:
    """Whether this claim is the one that is held."""
    return state.claim is not None and state.claim.number == number


def _again(step: StepState) -> StepState:
    if step.status != "ready":
        return step
    return step._replace(attempt=step.attempt + 1, doubt=True)
