"""How each action starts: what its owner appends, or which handler becomes ready."""

from collections.abc import Callable

import orjson

from sagalog.engine import beating
from sagalog.engine.agenda import Agenda
from sagalog.engine.calls import input_of, operation_of
from sagalog.engine.context import Context
from sagalog.engine.effects import Call, Follow, Invocation
from sagalog.engine.holding import Holding
from sagalog.engine.instance import Instance
from sagalog.engine.payload import copied
from sagalog.engine.pending import (
    Action,
    Deadline,
    Deliver,
    End,
    Expire,
    Fire,
    Lapse,
    Post,
    Recall,
    Run,
    Send,
    Undo,
)
from sagalog.engine.results import step_failed
from sagalog.engine.turning import named
from sagalog.engine.writer import Writer
from sagalog.schemas import facts as f
from sagalog.schemas.deadletters import FailedStep
from sagalog.schemas.definition import StepSpec, derived
from sagalog.schemas.ids import child_id, letter_id
from sagalog.schemas.requests import Cancel, Compensate, Parent, RunOperation
from sagalog.schemas.topics import COMPENSATIONS, Topics

_ENDS: dict[str, type[f.Completed | f.Compensated | f.Cancelled]] = {
    "completed": f.Completed,
    "compensated": f.Compensated,
    "cancelled": f.Cancelled,
}

Ready = Callable[[Call, Instance], None]
"""Takes a call that could begin: it does when there is a slot, and a permit where it needs one."""


class Acting:
    """Starts the actions of one partition."""

    __slots__ = ("_agenda", "_app", "_holding", "_ready", "_writer")

    def __init__(
        self,
        app: str,
        writer: Writer,
        agenda: Agenda,
        ready: Ready,
        holding: Holding,
    ) -> None:
        self._app, self._writer, self._agenda = app, writer, agenda
        self._ready, self._holding = ready, holding

    def start(self, instance: str, state: Instance, action: Action) -> None:
        """Start one action that is due."""
        match action:
            case Run():
                self._run(instance, state, action)
            case Undo():
                self._undo(instance, state, action)
            case Send():
                self._send(instance, state, action)
            case Recall():
                self._recall(instance, state, action)
            case Post():
                self._post(instance, state, action)
            case Deliver():
                self._deliver(instance, state, action)
            case Fire():
                self._fire(instance, state, action)
            case Expire() | Lapse() | Deadline() | End():
                self.append(instance, state, action, _timed(state, action, self._writer.now))

    def _run(self, instance: str, state: Instance, action: Run) -> None:
        if not self._holding.holds(instance, state, action, self._writer.now):
            call = Call(self._writer.partition, instance, state.run, state.priority, action)
            self._ready(call, state)

    def append(self, instance: str, state: Instance, action: Action, fact: f.Fact) -> int:
        """Append the fact that ends an action; its size in bytes."""
        id_, size = self._writer.fact(instance, fact, state)
        self._agenda.sent(instance, action, id_)
        return size

    def _address(self, spec: StepSpec) -> tuple[Topics, str]:
        app, _, name = spec.operation.rpartition("/")
        return Topics(app or self._app), name

    def _parent(self, instance: str, state: Instance, spec: StepSpec) -> Parent:
        return Parent(self._app, self._writer.partition, instance, state.run, spec.name)

    def _undo(self, instance: str, state: Instance, action: Undo) -> None:
        spec = state.definition.steps[action.step]
        if not spec.there:
            if self._holding.holds(instance, state, action, self._writer.now):
                return
            request = Compensate(action.number, state.run, spec.name, action.attempt)
            id_ = f"{instance}/{state.run}/compensate/{spec.name}/{action.number}.{action.attempt}"
            topic = self._writer.topics.lane(COMPENSATIONS)
            self._agenda.mark(instance, action, "asked")
            self._writer.request(topic, instance, request, id_, here=True)
            return
        topics, _ = self._address(spec)
        child = child_id(state.run, spec.name)
        request = Compensate(
            action.number,
            attempt=action.attempt,
            parent=self._parent(instance, state, spec),
            known=state.steps[action.step].status == "completed",
        )
        self._agenda.told(instance, action)
        id_ = f"{child}/compensate/{action.number}"
        self._writer.request(topics.lane(COMPENSATIONS), child, request, id_)

    def _send(self, instance: str, state: Instance, action: Send) -> None:
        spec = state.definition.steps[action.step]
        topics, name = self._address(spec)
        child = child_id(state.run, spec.name)
        request = RunOperation(
            name=name,
            input=orjson.Fragment(state.input) if spec.input is None else spec.input,
            fingerprint=f"{state.run}/{spec.name}",
            priority=state.priority,
            deadline=state.deadline,
            retention=state.retention,
            tenant=state.tenant,
            traceparent=state.traceparent,
            parent=self._parent(instance, state, spec),
            cause_time=state.steps[action.step].begins,
            step=spec if spec.spread else None,
        )
        self._agenda.told(instance, action)
        self._writer.request(topics.lane(state.priority), child, request, f"{child}/request")

    def _recall(self, instance: str, state: Instance, action: Recall) -> None:
        spec = state.definition.steps[action.step]
        topics, _ = self._address(spec)
        child = child_id(state.run, spec.name)
        self._agenda.told(instance, action)
        request = Cancel(reason=f"{state.definition.name} turned back", by=self._writer.source)
        self._writer.request(topics.lane(state.priority), child, request, f"{child}/cancel")

    def _post(self, instance: str, state: Instance, action: Post) -> None:
        letter, name = action.letter, named(action.letter)
        spec = state.definition.steps[letter.step]
        forward = letter.number == 0
        given = spec.input if forward else spec.undo_input
        post = FailedStep(
            instance=instance,
            run=state.run,
            name=state.definition.name,
            step=spec.name,
            phase="forward" if forward else "undo",
            number=letter.number,
            attempts=letter.attempt,
            error=letter.error,
            input=orjson.Fragment(state.input) if given is None else given,
            status=state.status,
            remaining=state.remaining(),
        )
        follow = Follow(instance, state.run, f.DeadLettered(state.run, name), action)
        self._agenda.told(instance, action)
        self._writer.letter(instance, post, letter_id(instance, state.run, name), follow)

    def _fire(self, instance: str, state: Instance, action: Fire) -> None:
        fires, next_due = beating.firing(state, action.due, self._writer.now)
        asked = state.beat.asked if state.beat is not None else 0
        fact = f.ScheduleFired(state.run, action.due, fires, next_due, asked)
        if not fires:
            self.append(instance, state, action, fact)
            return
        child, request = beating.request(instance, state, fires, self._writer.now)
        self._agenda.told(instance, action)
        follow = Follow(instance, state.run, fact, action)
        topic = self._writer.topics.lane(state.priority)
        self._writer.request(topic, child, request, f"{child}/request", then=follow)

    def _deliver(self, instance: str, state: Instance, action: Deliver) -> None:
        to = state.parent
        assert to is not None, "an outcome to deliver, and no parent"
        told = f.OutcomeDelivered(state.run, action.outcome, action.number)
        follow = Follow(instance, state.run, told, action)
        self._agenda.told(instance, action)
        size = self._writer.outcome(to, outcome_fact(to, state, action), follow)
        if size > self._writer.largest:
            self._writer.withdraw()
            message = f"the outcome of {instance} is too large for a fact of its parent"
            error = f.Failure("invalid", "ResultTooLarge", message)
            failed = f.StepFailed(to.run, to.step, 1, error, final=True)
            self._writer.outcome(to, failed, follow)


def outcome_fact(to: Parent, state: Instance, action: Deliver) -> f.Fact:
    """The fact of the parent that its child's outcome is."""
    match action.outcome:
        case "completed":
            result = state.result
            return f.StepCompleted(to.run, to.step, 1, result)
        case "compensated":
            return f.StepCompensated(to.run, to.step, action.number)
        case _:
            message = f"{state.definition.name} was {state.status}"
            error = state.error or f.Failure("cancelled", "Cancelled", message)
            return f.StepFailed(to.run, to.step, 1, error, final=True)


def _timed(state: Instance, action: Expire | Lapse | Deadline | End, now: int) -> f.Fact:
    match action:
        case Deadline():
            return f.DeadlinePassed(state.run, action.due)
        case End():
            return _ENDS[action.status](state.run)
        case Lapse():
            return f.ClaimExpired(state.run, action.number)
        case Expire():
            spec, step = state.definition.steps[action.step], state.steps[action.step]
            message = f"{spec.operation} gave no outcome within {spec.timeout} ms"
            error = f.Failure("timeout", "Timeout", message)
            return step_failed(state, action.step, step, action.attempt, error, now)


def handler_key(instance: str, run: str, spec: StepSpec) -> str:
    """The idempotency key of a step: a caller's has no run, since it may act without one."""
    return f"{instance}:{'' if spec.claimed else run}:{spec.name}"


def invocation(call: Call, state: Instance) -> Invocation:
    """The call of a handler: which, with what, and what it is told."""
    action, steps = call.action, state.definition.steps
    spec = steps[action.step]
    undo = isinstance(action, Undo)
    given = input_of(state, action)
    key = handler_key(call.instance, state.run, spec)
    context = Context(
        instance=call.instance,
        name=state.definition.name,
        step=spec.name,
        attempt=action.attempt,
        idempotency_key=f"{key}:undo:{action.number}" if isinstance(action, Undo) else key,
        phase="undo" if undo else "forward",
        key=state.key,
        priority=state.priority,
        tenant=state.tenant,
        traceparent=state.traceparent,
        deadline=state.deadline,
        results={
            s.name: done.result
            for s, done in zip(steps, state.steps, strict=True)
            if done.status == "completed"
        },
        operations=derived(state.definition).operations,
    )
    return Invocation(
        call,
        operation_of(state, action),
        orjson.loads(state.input) if given is None else copied(given),
        context,
        spec.undo_timeout if undo else spec.timeout,
    )
