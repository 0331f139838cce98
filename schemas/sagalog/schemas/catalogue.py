"""Every type that may stand on the wire, with its name and version."""

from typing import Any

from pydantic import TypeAdapter

from sagalog.schemas import deadletters, facts, limits, replies, requests

PREFIX = "sagalog."

TYPES: dict[str, type[Any]] = {
    "sagalog.saga.start.v1": requests.StartSaga,
    "sagalog.operation.run.v1": requests.RunOperation,
    "sagalog.cancel.v1": requests.Cancel,
    "sagalog.compensate.v1": requests.Compensate,
    "sagalog.release.v1": requests.Release,
    "sagalog.inquire.v1": requests.Inquire,
    "sagalog.started.v1": facts.Started,
    "sagalog.refused.v1": facts.Refused,
    "sagalog.step.completed.v1": facts.StepCompleted,
    "sagalog.step.failed.v1": facts.StepFailed,
    "sagalog.step.compensated.v1": facts.StepCompensated,
    "sagalog.step.released.v1": facts.StepReleased,
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
    "sagalog.reply.v1": replies.Reply,
    "sagalog.deadletter.step.v1": deadletters.FailedStep,
    "sagalog.deadletter.record.v1": deadletters.PoisonRecord,
}

NAMES: dict[type[Any], str] = {cls: name for name, cls in TYPES.items()}

ADAPTERS: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(cls) for name, cls in TYPES.items()}

VALIDATORS = {name: adapter.validator.validate_python for name, adapter in ADAPTERS.items()}
"""From plain data to the type, by wire name. Each raises pydantic's ValidationError."""
