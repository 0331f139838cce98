"""Questions and wishes about an instance: inquire, cancel, release. Told from folded state."""

from sagalog.engine.desk import Desk
from sagalog.engine.effects import LaneDone
from sagalog.engine.instance import SETTLED, Instance
from sagalog.engine.replying import outcome, refused, word
from sagalog.engine.turning import can_turn, parked_at
from sagalog.engine.waiting import Waiting
from sagalog.schemas import facts as f
from sagalog.schemas.requests import Cancel, Inquire, Release, ReplyTo, Start


class Asking:
    """Answers for one partition. A wish is answered when its fact is read back (rule 13)."""

    __slots__ = ("_desk", "_waiting", "_wishes")

    def __init__(self, desk: Desk, waiting: Waiting) -> None:
        self._desk, self._waiting = desk, waiting
        self._wishes: dict[str, list[ReplyTo]] = {}

    def repeat(self, instance: str, request: Start, state: Instance) -> None:
        """A repeat finds its first: the stored outcome, or a conflict (DESIGN, section 4)."""
        to, writer = request.reply_to, self._desk.writer
        if to is None:
            return
        if state.unreadable >= 0:
            self._waiting.add(instance, to)
        elif request.fingerprint != state.fingerprint and not request.any_payload:
            writer.reply(to, word(to, instance, "conflict"))
        elif state.status in SETTLED:
            writer.reply(to, outcome(to, instance, state))
        else:
            if request.confirm:
                writer.reply(to, word(to, instance, "started"))
            if state.beat is None:  # who asks for a schedule hears that it is there, no more
                self._waiting.add(instance, to)

    def inquire(
        self, instance: str, request: Inquire, state: Instance | None, done: LaneDone
    ) -> None:
        """Tell how it stands, or wait until it has settled."""
        to = request.reply_to
        if state is None or state.status in SETTLED or not request.wait:
            self._say(to, instance, state)
        else:
            self._waiting.add(instance, to)
            if request.follow:
                self._waiting.follow(instance, to, state)
        self._desk.done(done)

    def cancel(
        self, instance: str, request: Cancel, state: Instance | None, done: LaneDone
    ) -> None:
        """Turn the instance back, if it still can."""
        if state is None or request.run not in (None, state.run) or not can_turn(state):
            self._say(request.reply_to, instance, state)
            self._desk.done(done)
            return
        fact = f.CancelRequested(state.run, request.reason, request.by)
        self.wish(request.reply_to, instance, fact, state, done)

    def release(
        self, instance: str, request: Release, state: Instance | None, done: LaneDone
    ) -> None:
        """Move a parked step on, if it is parked where the person saw it."""
        at = parked_at(state, request.step, request.how) if state is not None else None
        seen = (request.number, request.attempt)
        if state is None or at is None or (request.attempt and at != seen):
            self._say(request.reply_to, instance, state)
            self._desk.done(done)
            return
        fact = f.StepReleased(
            run=state.run,
            step=request.step,
            how=request.how,
            number=at[0],
            attempt=at[1],
            result=request.result,
            by=request.by,
        )
        self.wish(request.reply_to, instance, fact, state, done)

    def read_back(
        self, fact: str, instance: str, state: Instance | None, *, accepted: bool
    ) -> None:
        """A wish's fact has been read back: say whether the fold took it."""
        for to in self._wishes.pop(fact, ()):
            if accepted:
                self._desk.writer.reply(to, word(to, instance, "accepted"))
            else:
                self._say(to, instance, state)

    def wish(
        self, to: ReplyTo | None, instance: str, fact: f.Fact, state: Instance, done: LaneDone
    ) -> None:
        """Append a wish's fact; its client hears when it is read back whether it counts."""
        id_, size = self._desk.writer.fact(instance, fact, state, done)
        if size > self._desk.writer.largest:
            self._desk.writer.withdraw()
            self._desk.done(done)
            if to is not None:
                reason = f"it makes a fact of {size} bytes, over the limit"
                self._desk.writer.reply(to, refused(to, instance, reason))
        elif to is not None:
            self._wishes.setdefault(id_, []).append(to)

    def _say(self, to: ReplyTo | None, instance: str, state: Instance | None) -> None:
        if to is not None:
            reply = outcome(to, instance, state) if state else word(to, instance, "unknown")
            self._desk.writer.reply(to, reply)
