"""What becomes of a `Compensate`: an undo that runs, a child that turns back, or a drop."""

from sagalog.engine.app import App
from sagalog.engine.desk import Desk
from sagalog.engine.effects import Call, LaneDone, Refusal, Then
from sagalog.engine.instance import Instance
from sagalog.engine.pending import Undo, pending
from sagalog.engine.permits import Permits
from sagalog.schemas import facts as f
from sagalog.schemas.record import Record
from sagalog.schemas.requests import Compensate, Parent
from sagalog.schemas.topics import COMPENSATIONS


class Undoing:
    """Takes the requests of the compensations lane in, for one partition."""

    __slots__ = ("_app", "_desk", "_permits")

    def __init__(self, app: App, desk: Desk, permits: Permits) -> None:
        self._app, self._desk, self._permits = app, desk, permits

    def undo(
        self,
        instance: str,
        request: Compensate,
        state: Instance | None,
        record: Record,
        done: LaneDone,
    ) -> str | None:
        """Take one in; the id of the fact that it brings, if it brings one."""
        if request.step is not None:
            self._step(instance, request, state, done)
        elif request.parent is None:
            self._desk.done(done)
        elif state is None:
            return self._unknown(instance, request, request.parent, done)
        elif state.parent is None:
            reason = f"{instance} has no parent that could undo it"
            then = Refusal(record, reason, done)
            self._never(request, request.parent, f.Failure("terminal", "NoParent", reason), then)
        elif request.number > state.undo_number:
            fact = f.CompensationRequested(state.run, request.number)
            return self._desk.writer.fact(instance, fact, state)[0]
        else:
            self._again(request, request.parent, state, done)
        return None

    def _step(
        self, instance: str, request: Compensate, state: Instance | None, done: LaneDone
    ) -> None:
        """Only what the state still asks for runs; a dropped one is asked for again (rule 8)."""
        action = self._asked(instance, request, state) if state is not None else None
        if state is None or action is None:
            self._desk.done(done)
            return
        if self._desk.holding.holds(instance, state, action, self._desk.writer.now):
            self._desk.done(done)  # it is asked for again when it is let go
            return
        self._desk.agenda.mark(instance, action, "due")
        partition = self._desk.writer.partition
        call = Call(partition, instance, state.run, COMPENSATIONS, action, done)
        self._permits.ready(call, state)

    def _asked(self, instance: str, request: Compensate, state: Instance) -> Undo | None:
        for action in pending(state) if state.run == request.run else ():
            if (
                isinstance(action, Undo)
                and state.definition.steps[action.step].name == request.step
                and (action.number, action.attempt) == (request.number, request.attempt)
                and self._desk.agenda.phase(instance, action) == "asked"
            ):
                return action
        return None

    def _unknown(
        self, instance: str, request: Compensate, to: Parent, done: LaneDone
    ) -> str | None:
        """The late request must find that its undo came first; what is gone cannot be undone."""
        if request.known:
            error = f.Failure("terminal", "Forgotten", f"{instance} is not there any more to undo")
            self._never(request, to, error, done)
            return None
        first = f.Refused(
            run=self._desk.writer.run(),
            retention=self._app.retention,
            lane=done.lane,
            lane_offset=done.offset,
            number=request.number,
            parent=to,
        )
        return self._desk.writer.fact(instance, first, None)[0]

    def _never(self, request: Compensate, to: Parent, error: f.Failure, then: Then) -> None:
        """The parent is told that this undo will never be."""
        fact = f.CompensationFailed(
            to.run, to.step, request.number, request.attempt, error, final=True
        )
        self._desk.writer.outcome(to, fact, then)

    def _again(self, request: Compensate, to: Parent, state: Instance, done: LaneDone) -> None:
        if state.undo_delivered < request.number:
            self._desk.done(done)
            return
        fact = f.StepCompensated(to.run, to.step, request.number, request.attempt)
        self._desk.writer.outcome(to, fact, done)
