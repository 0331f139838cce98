"""Every type that may stand on the wire, with its name and version."""

from typing import Any

from pydantic import TypeAdapter

from sagalog.schemas import claims, deadletters, facts, limits, pauses, replies, requests, workers

PREFIX = "sagalog."

TYPES: dict[str, type[Any]] = {
    "sagalog.saga.start.v1": requests.StartSaga,
    "sagalog.operation.run.v1": requests.RunOperation,
    "sagalog.claim.v1": claims.Claim,
    "sagalog.schedule.v1": requests.Schedule,
    "sagalog.cancel.v1": requests.Cancel,
    "sagalog.compensate.v1": requests.Compensate,
    "sagalog.release.v1": requests.Release,
    "sagalog.inquire.v1": requests.Inquire,
    "sagalog.purge.v1": requests.Purge,
    "sagalog.started.v1": facts.Started,
    "sagalog.refused.v1": facts.Refused,
    "sagalog.schedule.started.v1": facts.ScheduleStarted,
    "sagalog.schedule.fired.v1": facts.ScheduleFired,
    "sagalog.schedule.replaced.v1": facts.ScheduleReplaced,
    "sagalog.step.completed.v1": facts.StepCompleted,
    "sagalog.step.progressed.v1": facts.StepProgressed,
    "sagalog.step.failed.v1": facts.StepFailed,
    "sagalog.step.compensated.v1": facts.StepCompensated,
    "sagalog.step.released.v1": facts.StepReleased,
    "sagalog.claim.released.v1": facts.ClaimReleased,
    "sagalog.claim.expired.v1": facts.ClaimExpired,
    "sagalog.compensation.failed.v1": facts.CompensationFailed,
    "sagalog.compensation.requested.v1": facts.CompensationRequested,
    "sagalog.cancel.requested.v1": facts.CancelRequested,
    "sagalog.deadline.passed.v1": facts.DeadlinePassed,
    "sagalog.completed.v1": facts.Completed,
    "sagalog.compensated.v1": facts.Compensated,
    "sagalog.cancelled.v1": facts.Cancelled,
    "sagalog.deadlettered.v1": facts.DeadLettered,
    "sagalog.outcome.delivered.v1": facts.OutcomeDelivered,
    "sagalog.forgotten.v1": facts.Forgotten,
    "sagalog.partition.taken.v1": facts.Taken,
    "sagalog.permits.asked.v1": limits.PermitsAsked,
    "sagalog.permits.expired.v1": limits.PermitsExpired,
    "sagalog.permits.refilled.v1": limits.PermitsRefilled,
    "sagalog.permits.granted.v1": limits.PermitsGranted,
    "sagalog.limit.set.v1": limits.LimitSet,
    "sagalog.paused.v1": pauses.Paused,
    "sagalog.resumed.v1": pauses.Resumed,
    "sagalog.breaker.opened.v1": pauses.BreakerOpened,
    "sagalog.breaker.closed.v1": pauses.BreakerClosed,
    "sagalog.reply.v1": replies.Reply,
    "sagalog.further.v1": replies.Further,
    "sagalog.backup.v1": claims.Backup,
    "sagalog.deadletter.step.v1": deadletters.FailedStep,
    "sagalog.deadletter.record.v1": deadletters.PoisonRecord,
    "sagalog.worker.seen.v1": workers.WorkerSeen,
    "sagalog.worker.drain.v1": workers.DrainWorker,
}

NAMES: dict[type[Any], str] = {cls: name for name, cls in TYPES.items()}

ADAPTERS: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(cls) for name, cls in TYPES.items()}

VALIDATORS = {name: adapter.validator.validate_python for name, adapter in ADAPTERS.items()}
"""From plain data to the type, by wire name. Each raises pydantic's ValidationError."""
