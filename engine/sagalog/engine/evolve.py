"""The fold: (state, fact) -> state. Pure and total; what is stale or repeated changes nothing.

Every rule returns the very same object where it ignores the fact, so that `is` tells.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sagalog.engine import beating, leases, turning
from sagalog.engine.instance import (
    ENDED,
    NOTHING,
    PARKED,
    WAITING,
    Held,
    Instance,
    Letter,
    Progress,
    StepState,
)
from sagalog.engine.payload import kept
from sagalog.schemas import facts as f
from sagalog.schemas.definition import Definition, Derived, Json, derived
from sagalog.schemas.topics import COMPENSATIONS


class Here(NamedTuple):
    """Where a fact stands, and what of the partition its fold depends on.

    `time` is the log's stamp in ms; `taken` the offset of the last `Taken` before it;
    `low` the low water of each lane (rule 5).
    """

    offset: int
    time: int
    taken: int = -1
    low: Mapping[str, int] = {}


EXPIRED = f.Failure("timeout", "Expired", "it waited longer for its turn than it was to")


def evolve(state: Instance | None, fact: f.Fact, here: Here) -> Instance | None:
    """The state after `fact`; None where there is no such instance (any longer)."""
    if state is None:
        first = _FIRST.get(type(fact))
        return first(fact, here) if first else None
    if here.offset <= state.offset or state.unreadable >= 0:
        return state
    rule = _RULES.get(type(fact))
    if rule is None or isinstance(fact, f.PartitionFact) or fact.run != state.run:
        return state
    after = rule(state, fact, here)
    return after if after is None or after is state else after.at(here.offset)


def _started(fact: f.Started, here: Here) -> Instance | None:
    if fact.lane_offset < here.low.get(fact.lane, 0):
        return None
    state = Instance(
        run=fact.run,
        status="running",
        definition=fact.definition,
        input=kept(fact.input),
        fingerprint=fact.fingerprint,
        offset=here.offset,
        retention=fact.retention,
        started_at=here.time,
        steps=_opened(fact, here),
        priority=fact.priority,
        key=fact.key,
        tenant=fact.tenant,
        traceparent=fact.traceparent,
        reply_to=fact.reply_to,
        confirm=fact.confirm,
        parent=fact.parent,
        deadline=fact.deadline,
        claim=Held(fact.claim.by, fact.claim.lease) if fact.claim else None,
    )
    if fact.purged:
        return _never_begun(state, f.Failure("cancelled", "Purged", fact.purged), here)
    return _never_begun(state, EXPIRED, here) if fact.expired else state


def _never_begun(state: Instance, error: f.Failure, here: Here) -> Instance:
    """It waited too long for its turn, or was purged: its first fact is its end too."""
    return state._replace(
        status="cancelled", cause="cancel", ended_at=here.time, error=error, steps=(), claim=None
    )


def _refused(fact: f.Refused, here: Here) -> Instance | None:
    if fact.lane_offset < here.low.get(fact.lane, 0):
        return None
    return Instance(
        run=fact.run,
        status="refused",
        definition=Definition("operation", COMPENSATIONS, ()),
        input=NOTHING,
        fingerprint="",
        offset=here.offset,
        retention=fact.retention,
        started_at=here.time,
        steps=(),
        parent=fact.parent,
        cause="parent",
        ended_at=here.time,
        undo_number=fact.number,
    )


def _opened(fact: f.Started, here: Here) -> tuple[StepState, ...]:
    """The steps of a new life: those are ready that wait for nothing but their time."""
    ready = StepState("ready", here.offset, here.time, retry_at=fact.not_before)
    return tuple(WAITING if spec.after else ready for spec in fact.definition.steps)


def _with(state: Instance, index: int, step: StepState) -> tuple[StepState, ...]:
    return (*state.steps[:index], step, *state.steps[index + 1 :])


def _step_completed(state: Instance, fact: f.StepCompleted, here: Here) -> Instance:
    index = state.step_index(fact.step)
    if index < 0 or state.status in ("completed", "refused"):
        return state
    step = state.steps[index]
    if step.status not in ("ready", "failed"):
        return state
    done = _done(step, fact.result, here)
    if state.cause:
        return turning.rejoin(state._replace(steps=_with(state, index, done)), index)
    return _advanced(state, index, done, here)


def _done(step: StepState, result: Json, here: Here) -> StepState:
    return StepState(
        "completed",
        here.offset,
        here.time,
        step.attempt,
        step.spent,
        result=result,
        undos=step.undos,
        undo_attempt=step.undo_attempt,
    )


def _advanced(state: Instance, index: int, step: StepState, here: Here) -> Instance:
    """One step has moved on: those are ready that waited for nothing else."""
    steps = list(state.steps)
    steps[index] = step
    if step.status == "completed":
        _open_next(steps, derived(state.definition), index, here)
    if state.status == "running":
        return state.with_steps(tuple(steps))
    if any(step.status == "failed" for step in steps):
        return state.with_steps(tuple(steps))
    return state._replace(steps=tuple(steps), status="running", error=None)


def _open_next(steps: list[StepState], graph: Derived, index: int, here: Here) -> None:
    for number in graph.before[index]:
        waits = [n for n in graph.after[number] if steps[n].status != "completed"]
        if not waits and steps[number].status == "waiting":
            steps[number] = StepState("ready", here.offset, here.time)


def _step_progressed(state: Instance, fact: f.StepProgressed, here: Here) -> Instance:
    index = state.step_index(fact.step)
    if index < 0 or state.cause or state.status not in ("running", *PARKED):
        return state
    step = state.steps[index]
    known = step.progress.number if step.progress else 0
    if step.status != "ready" or fact.attempt != step.attempt or fact.number <= known:
        return state
    said = Progress(fact.fraction, fact.message, fact.number, here.time)
    return state.with_steps(_with(state, index, step._replace(progress=said)))


def _step_failed(state: Instance, fact: f.StepFailed, here: Here) -> Instance:
    index = state.step_index(fact.step)
    if index < 0 or state.cause or state.status not in ("running", *PARKED):
        return state
    step = state.steps[index]
    if step.status != "ready" or fact.attempt != step.attempt:
        return state
    away = fact.error.kind == "unavailable"
    step = step._replace(
        spent=step.spent + fact.counted,
        doubt=step.doubt or fact.error.kind in ("timeout", "invalid"),
        down_since=(step.down_since or here.time) if away else 0,
        error=fact.error,
        progress=None,
    )
    if not fact.final:
        step = step._replace(attempt=step.attempt + 1, retry_at=fact.retry_at)
        return state._replace(steps=_with(state, index, step))
    return _failed_for_good(state, index, step, here)


def _failed_for_good(state: Instance, index: int, step: StepState, here: Here) -> Instance:
    spec = state.definition.steps[index]
    assert step.error is not None, "a failure without its error"
    failed = step._replace(
        status="failed",
        offset=here.offset,
        time=here.time,
        doubt=step.doubt or here.taken > step.offset,
    )
    state = state._replace(steps=_with(state, index, failed), error=step.error)
    if not spec.there or step.error.kind == "timeout":
        state = state._replace(letters=(*state.letters, Letter(index, 0, step.attempt, step.error)))
    if turning.parks(state, spec, step.error):
        return state._replace(status="stuck" if state.definition.kind == "saga" else "dead")
    return turning.back(state, "failure")


def _cancel_requested(state: Instance, fact: f.CancelRequested, here: Here) -> Instance:
    return turning.back(state, "cancel") if turning.can_turn(state) else state


def _deadline_passed(state: Instance, fact: f.DeadlinePassed, here: Here) -> Instance:
    if fact.due != state.deadline or not turning.can_turn(state):
        return state
    message = "the deadline passed"
    return turning.back(state._replace(error=f.Failure("timeout", "Deadline", message)), "deadline")


def _compensation_requested(state: Instance, fact: f.CompensationRequested, here: Here) -> Instance:
    if state.parent is None or fact.number <= state.undo_number:
        return state
    state = state._replace(undo_number=fact.number)
    if state.cause or state.status == "refused":
        return state
    # A parent's undo is the one thing that turns even a completed instance back.
    return turning.back(state._replace(ended_at=0), "parent")


def _step_compensated(state: Instance, fact: f.StepCompensated, here: Here) -> Instance:
    index = turning.undo_due(state, fact.step, fact.number)
    return state if index < 0 else turning.undone(state)


def _compensation_failed(state: Instance, fact: f.CompensationFailed, here: Here) -> Instance:
    index = turning.undo_due(state, fact.step, fact.number)
    if index < 0 or state.status == "stuck" or fact.attempt != state.steps[index].undo_attempt:
        return state
    step = state.steps[index]
    away = fact.error.kind == "unavailable"
    step = step._replace(
        undo_spent=step.undo_spent + fact.counted,
        undo_down_since=(step.undo_down_since or here.time) if away else 0,
        error=fact.error,
    )
    if not fact.final:
        step = step._replace(undo_attempt=step.undo_attempt + 1, undo_retry_at=fact.retry_at)
        return state._replace(steps=_with(state, index, step))
    letter = Letter(index, fact.number, fact.attempt, fact.error)
    return state._replace(
        steps=_with(state, index, step), status="stuck", letters=(*state.letters, letter)
    )


def _step_released(state: Instance, fact: f.StepReleased, here: Here) -> Instance:
    if turning.parked_at(state, fact.step, fact.how) != (fact.number, fact.attempt):
        return state
    index = state.step_index(fact.step)
    if state.cause:
        return turning.release_undo(state, index, fact)
    step = state.steps[index]
    if fact.how == "retry":
        again = StepState(
            "ready", here.offset, here.time, attempt=step.attempt + 1, doubt=step.doubt
        )
        return _advanced(state, index, again, here)
    return _advanced(state, index, _done(step, fact.result, here), here)


def _claim_released(state: Instance, fact: f.ClaimReleased, here: Here) -> Instance:
    return leases.released(state, fact.number)


def _claim_expired(state: Instance, fact: f.ClaimExpired, here: Here) -> Instance:
    return leases.expired(state, fact.number)


def _completed(state: Instance, fact: f.Completed, here: Here) -> Instance:
    if state.beat is not None:
        return beating.completed(state, here)
    if state.status != "running" or any(s.status != "completed" for s in state.steps):
        return state
    names = (spec.name for spec in state.definition.steps)
    results = {name: step.result for name, step in zip(names, state.steps, strict=True)}
    alone = state.definition.kind == "operation"
    return _stripped(
        state._replace(
            status="completed",
            claim=None,
            ended_at=here.time,
            result=state.steps[0].result if alone else results,
        )
    )


def _stripped(state: Instance) -> Instance:
    """Without what nobody needs any more: only a parent's undo, or a letter to post, would."""
    if state.status != "completed" or state.parent or state.letters:
        return state
    return state._replace(steps=(), input=NOTHING, reply_to=None, confirm=False)


def _compensated(state: Instance, fact: f.Compensated, here: Here) -> Instance:
    if state.status != "compensating" or state.undoing or state.cause == "cancel":
        return state
    return state._replace(status="compensated", ended_at=here.time)


def _cancelled(state: Instance, fact: f.Cancelled, here: Here) -> Instance:
    if state.status != "compensating" or state.undoing or state.cause != "cancel":
        return state
    return state._replace(status="cancelled", ended_at=here.time)


def _deadlettered(state: Instance, fact: f.DeadLettered, here: Here) -> Instance:
    left = tuple(letter for letter in state.letters if turning.named(letter) != fact.letter)
    return state if len(left) == len(state.letters) else _stripped(state._replace(letters=left))


def _outcome_delivered(state: Instance, fact: f.OutcomeDelivered, here: Here) -> Instance:
    if fact.number:
        new = fact.number > state.undo_delivered
        return state._replace(undo_delivered=fact.number) if new else state
    return state._replace(delivered=fact.outcome) if not state.delivered else state


def _forgotten(state: Instance, fact: f.Forgotten, here: Here) -> Instance | None:
    return None if forgettable(state) else state


def forgettable(state: Instance) -> bool:
    """Whether nothing is left to be done, so that only its retention keeps it."""
    if state.status not in ENDED or state.undoing or state.letters or state.unreadable >= 0:
        return False
    return state.parent is None or _delivered(state)


def _delivered(state: Instance) -> bool:
    if state.undo_number:
        return state.undo_delivered >= state.undo_number
    return bool(state.delivered)


_FIRST: dict[type[Any], Callable[[Any, Here], Instance | None]] = {
    f.Started: _started,
    f.Refused: _refused,
    f.ScheduleStarted: beating.started,
}

_RULES: dict[type[Any], Callable[[Instance, Any, Here], Instance | None]] = {
    f.StepCompleted: _step_completed,
    f.StepFailed: _step_failed,
    f.StepProgressed: _step_progressed,
    f.StepCompensated: _step_compensated,
    f.StepReleased: _step_released,
    f.ClaimReleased: _claim_released,
    f.ClaimExpired: _claim_expired,
    f.CompensationFailed: _compensation_failed,
    f.CompensationRequested: _compensation_requested,
    f.CancelRequested: _cancel_requested,
    f.DeadlinePassed: _deadline_passed,
    f.Completed: _completed,
    f.Compensated: _compensated,
    f.Cancelled: _cancelled,
    f.DeadLettered: _deadlettered,
    f.OutcomeDelivered: _outcome_delivered,
    f.Forgotten: _forgotten,
    f.ScheduleFired: beating.fired,
    f.ScheduleReplaced: beating.replaced,
}
