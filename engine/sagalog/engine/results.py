"""From how a call ended to the fact that says so: tried again, or final."""

from dataclasses import dataclass

from sagalog.engine.instance import Instance, StepState
from sagalog.engine.pending import Run, Undo
from sagalog.engine.retry import delay, draw
from sagalog.schemas.definition import Json, RetrySpec
from sagalog.schemas.facts import (
    CompensationFailed,
    Failure,
    StepCompensated,
    StepCompleted,
    StepFailed,
)


@dataclass(frozen=True, slots=True)
class Returned:
    """A handler returned `value`, which JSON holds as it is."""

    value: Json


Result = Returned | Failure
"""How a call ended."""


def fact_of(
    state: Instance, action: Run | Undo, result: Result, now: int, lifted: int = 0
) -> StepCompleted | StepFailed | StepCompensated | CompensationFailed:
    """The fact that tells the end of a call.

    `lifted` is until when (ms) the operation was held: it gives up counting from then.
    """
    spec, step = state.definition.steps[action.step], state.steps[action.step]
    if isinstance(action, Undo):
        if isinstance(result, Returned):
            return StepCompensated(state.run, spec.name, action.number, action.attempt)
        tries = _Tries(
            spec.undo_retry, action.attempt, step.undo_spent, step.undo_down_since, lifted
        )
        final, retry_at = tries.after(result, now, f"{state.run}/{spec.name}/undo/{action.attempt}")
        return CompensationFailed(
            run=state.run,
            step=spec.name,
            number=action.number,
            attempt=action.attempt,
            error=result,
            final=final,
            retry_at=retry_at,
            counted=result.kind != "unavailable",
        )
    if isinstance(result, Returned):
        return StepCompleted(state.run, spec.name, action.attempt, result.value)
    return step_failed(state, action.step, step, action.attempt, result, now, lifted)


def step_failed(
    state: Instance,
    index: int,
    step: StepState,
    attempt: int,
    error: Failure,
    now: int,
    lifted: int = 0,
) -> StepFailed:
    """The fact of a failed call of a forward handler."""
    spec = state.definition.steps[index]
    tries = _Tries(spec.retry, attempt, step.spent, step.down_since, lifted)
    final, retry_at = tries.after(error, now, f"{state.run}/{spec.name}/{attempt}")
    return StepFailed(
        run=state.run,
        step=spec.name,
        attempt=attempt,
        error=error,
        final=final or spec.there,
        retry_at=0 if spec.there else retry_at,
        counted=error.kind != "unavailable",
    )


@dataclass(frozen=True, slots=True)
class _Tries:
    spec: RetrySpec
    attempt: int
    spent: int
    down_since: int
    lifted: int

    def after(self, error: Failure, now: int, seed: str) -> tuple[bool, int]:
        """Whether the failure is final, else when to try again (ms)."""
        if error.kind in ("terminal", "invalid", "cancelled"):
            return True, 0
        if error.kind == "unavailable":
            down = now - max(self.down_since or now, self.lifted)
            return self._again(self.attempt, now, seed, final=down >= self.spec.give_up_after)
        spent = self.spent + 1
        return self._again(spent, now, seed, final=spent >= self.spec.max_attempts)

    def _again(self, failures: int, now: int, seed: str, *, final: bool) -> tuple[bool, int]:
        return (True, 0) if final else (False, now + delay(self.spec, failures, draw(seed)))
