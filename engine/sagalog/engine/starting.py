"""From a request to the first fact of a life, or to a refusal that says why."""

from dataclasses import replace

from sagalog.engine import cron
from sagalog.engine.app import App
from sagalog.engine.desk import Desk
from sagalog.engine.effects import LaneDone, Refusal, Then
from sagalog.engine.errors import DeclarationError
from sagalog.engine.instance import Instance
from sagalog.engine.replying import refused, word
from sagalog.schemas import facts as f
from sagalog.schemas.claims import Claim
from sagalog.schemas.definition import Definition
from sagalog.schemas.record import Record
from sagalog.schemas.requests import Claimed, RunOperation, Schedule, Start, StartSaga, StepData

TELLING = 5_000
"""The lease (ms) of a claim that is told of: until what it tells is read, nobody runs it."""


class Starting:
    """Starts instances of one partition."""

    __slots__ = ("_app", "_desk")

    def __init__(self, app: App, desk: Desk) -> None:
        self._app, self._desk = app, desk

    def start(self, instance: str, request: Start, record: Record, done: LaneDone) -> str | None:
        """Append the first fact; its id, or None where the request is refused instead."""
        if self._too_old(request, record):
            self._drop(instance, request, done)
            return None
        try:
            fact: f.Fact = (
                self._scheduled(request, done)
                if isinstance(request, Schedule)
                else self._started(request, record, done)
            )
        except DeclarationError as error:
            self._refuse(instance, request, record, str(error), done)
            return None
        id_, size = self._desk.writer.fact(instance, fact, None)
        if size > self._desk.writer.largest:
            self._desk.writer.withdraw()
            reason = f"its first fact has {size} bytes, over the limit"
            self._refuse(instance, request, record, reason, done)
            return None
        return id_

    def _started(self, request: Start, record: Record, done: LaneDone) -> f.Started:
        definition = self._definition(request)
        return f.Started(
            run=self._desk.writer.run(),
            definition=definition,
            input=request.input,
            fingerprint=request.fingerprint,
            lane=done.lane,
            lane_offset=done.offset,
            retention=self._retention(request),
            key=request.key,
            priority=request.priority,
            deadline=self._deadline(request, definition),
            tenant=request.tenant,
            traceparent=request.traceparent,
            reply_to=request.reply_to,
            confirm=request.confirm,
            parent=request.parent,
            not_before=request.not_before or 0,
            expired=self._expired(request, record),
            purged=self._purged(request, done),
            occasion=request.occasion,
            claim=_claimed(request),
        )

    def _scheduled(self, request: Schedule, done: LaneDone) -> f.ScheduleStarted:
        return f.ScheduleStarted(
            run=self._desk.writer.run(),
            name=request.name,
            plan=request.plan,
            input=request.input,
            fingerprint=request.fingerprint,
            lane=done.lane,
            lane_offset=done.offset,
            retention=self._retention(request),
            due=self._first_due(request, self._desk.writer.now),
            asked=request.cause_time or 0,
            key=request.key or request.name,
            priority=request.priority,
            tenant=request.tenant,
            traceparent=request.traceparent,
            reply_to=request.reply_to,
            confirm=request.confirm,
        )

    def _first_due(self, request: Schedule, after: int) -> int:
        """When it fires first. Raises DeclarationError for what can never be started."""
        self._definition(request)
        plan = request.plan
        cron.check(plan.every, plan.zone)
        return cron.following(plan.every, plan.zone, max(after, (request.not_before or 0) - 1))

    def replace(
        self, instance: str, request: Schedule, state: Instance, record: Record, done: LaneDone
    ) -> f.ScheduleReplaced | None:
        """The fact by which a schedule goes by another plan; None where it is refused."""
        passed = state.beat.passed if state.beat is not None else 0
        try:
            due = self._first_due(request, max(self._desk.writer.now, passed))
        except DeclarationError as error:
            self._refuse(instance, request, record, str(error), done)
            return None
        return f.ScheduleReplaced(
            run=state.run,
            life=self._desk.writer.run(),
            plan=request.plan,
            input=request.input,
            fingerprint=request.fingerprint,
            lane=done.lane,
            lane_offset=done.offset,
            retention=self._retention(request),
            due=due,
            asked=request.cause_time or 0,
            priority=request.priority,
        )

    def _purged(self, request: Start, done: LaneDone) -> str:
        """By whom and why it was purged; what a parent waits for, or a caller runs, never is."""
        if request.parent or isinstance(request, Claim):
            return ""
        return self._desk.purges.sentence(done.lane, done.offset)

    def _definition(self, request: Start) -> Definition:
        app, name = self._app, request.name
        if isinstance(request, RunOperation) and request.step is not None:
            app.operation_named(name, f"{name}.operation")
            spec = replace(request.step, after=(), spread=False, input=None)
            return Definition("operation", name, (spec,))
        steps = _steps(request)
        if steps is not None:
            return app.from_data(name, steps)
        if isinstance(request, Claim):
            return app.claimed(name, request.then, self._retention(request))
        if name in app.sagas:
            return app.sagas[name].definition
        if name in app.operations:
            return app.alone(name)
        known = ", ".join(sorted([*app.sagas, *app.operations])) or "nothing"
        raise DeclarationError(
            name, f"{app.name} has no saga or operation of this name", f"It has: {known}."
        )

    def _retention(self, request: Start) -> int:
        kept = request.retention
        return self._app.retention_of(request.name) if kept is None else kept

    def _expired(self, request: Start, record: Record) -> bool:
        """Whether it has waited longer for its turn than it was to."""
        limit = request.queue_limit
        if limit is None:
            operation = self._app.operations.get(request.name)
            limit = operation.queue_limit if operation else 0
        if not limit or request.parent is not None:
            return False
        since = max(record.timestamp, request.not_before or 0)
        return self._desk.writer.now - since > limit

    def _deadline(self, request: Start, definition: Definition) -> int | None:
        if request.deadline is not None or definition.kind == "operation":
            return request.deadline
        if isinstance(request, Claim):
            return None
        saga = self._app.sagas.get(request.name)
        lasting = saga.deadline if saga else self._app.deadline
        begins = max(self._desk.writer.now, request.not_before or 0)
        return None if lasting is None else begins + lasting

    def _too_old(self, request: Start, record: Record) -> bool:
        """Rule 10: the instance may have lived, ended and been forgotten before this repeat."""
        if request.cause_time is None:
            return False
        return record.timestamp - request.cause_time > self._retention(request)

    def _drop(self, instance: str, request: Start, done: LaneDone) -> None:
        if request.reply_to is not None:
            self._desk.writer.reply(request.reply_to, word(request.reply_to, instance, "unknown"))
        if request.parent is None:
            self._desk.done(done)
        else:
            self._tell_parent(request, "its request came after its retention", done)

    def _refuse(
        self, instance: str, request: Start, record: Record, reason: str, done: LaneDone
    ) -> None:
        if request.reply_to is not None:
            reply = refused(request.reply_to, instance, reason)
            self._desk.writer.reply(request.reply_to, reply)
        if request.parent is None:
            self._desk.poison(record, reason, done)
        else:  # its parent first: a request that is done is not read again
            self._tell_parent(request, reason, Refusal(record, reason, done))

    def _tell_parent(self, request: Start, reason: str, then: Then) -> None:
        to = request.parent
        if to is not None:
            error = f.Failure("terminal", "Refused", reason)
            fact = f.StepFailed(to.run, to.step, 1, error, final=True)
            self._desk.writer.outcome(to, fact, then)


def _steps(request: Start) -> tuple[StepData, ...] | None:
    """The steps of a saga given as data."""
    if isinstance(request, Schedule):
        return request.plan.steps
    return request.steps if isinstance(request, StartSaga) else None


def _claimed(request: Start) -> Claimed | None:
    if not isinstance(request, Claim):
        return None
    return Claimed(request.by, request.lease or TELLING)
