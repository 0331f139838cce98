"""Claims on an instance that is there: asked for again, or told how they went."""

from dataclasses import replace

from sagalog.engine.desk import Desk
from sagalog.engine.effects import LaneDone
from sagalog.engine.evolve import Here, evolve
from sagalog.engine.instance import SETTLED, Instance
from sagalog.engine.replying import granted, outcome, refused, so_far, word
from sagalog.engine.results import step_failed
from sagalog.engine.waiting import Waiting
from sagalog.schemas import facts as f
from sagalog.schemas.claims import Claim
from sagalog.schemas.requests import ReplyTo


class Claiming:
    """Answers claims of one partition."""

    __slots__ = ("_desk", "_waiting")

    def __init__(self, desk: Desk, waiting: Waiting) -> None:
        self._desk, self._waiting = desk, waiting

    def repeat(self, instance: str, request: Claim, state: Instance, done: LaneDone) -> None:
        """A claim that finds its instance: who holds it is told so, others join."""
        if state.unreadable >= 0:
            return  # kept unread in the lane: code that can read the instance takes it in
        if request.fingerprint != state.fingerprint and not request.any_payload:
            if request.reply_to is not None:
                reply = word(request.reply_to, instance, "conflict")
                self._desk.writer.reply(request.reply_to, reply)
            self._desk.done(done)
        elif request.lease:
            self._join(instance, request, state)
            self._desk.done(done)
        else:
            self._tell(instance, request, state, done)

    def _join(self, instance: str, request: Claim, state: Instance) -> None:
        to = request.reply_to
        if to is None:
            return
        if state.claim is not None and state.claim.by == request.by:
            self._desk.writer.reply(to, granted(to, instance, state))
            return
        if request.confirm and state.status not in SETTLED:
            self._desk.writer.reply(to, word(to, instance, "started"))
        self._answer(instance, to, state)

    def _answer(self, instance: str, to: ReplyTo | None, state: Instance) -> None:
        if to is None:
            return
        if state.status in SETTLED:
            self._desk.writer.reply(to, outcome(to, instance, state))
        elif state.claim is None and state.steps[0].status == "completed":
            self._desk.writer.reply(to, so_far(to, instance, state))
        else:
            self._waiting.add_caller(instance, to)

    def _tell(self, instance: str, request: Claim, state: Instance, done: LaneDone) -> None:
        facts = told(state, request, self._desk.writer.now)
        if not facts:
            self._answer(instance, request.reply_to, state)
            self._desk.done(done)
            return
        for number, fact in enumerate(facts):
            last = number == len(facts) - 1
            _, size = self._desk.writer.fact(instance, fact, state, done if last else None)
            if size > self._desk.writer.largest:
                self._take_back(instance, request, number + 1, size, done)
                return
        if request.reply_to is not None:
            self._waiting.add_caller(instance, request.reply_to)

    def _take_back(
        self, instance: str, request: Claim, count: int, size: int, done: LaneDone
    ) -> None:
        for _ in range(count):
            self._desk.writer.withdraw()
        if request.reply_to is not None:
            reason = f"it makes a fact of {size} bytes, over the limit"
            self._desk.writer.reply(request.reply_to, refused(request.reply_to, instance, reason))
        self._desk.done(done)


def told(state: Instance, request: Claim, now: int) -> list[f.Fact]:
    """The facts that what a caller tells makes of the state, in order; none where all is known."""
    facts: list[f.Fact] = []
    for number, spec in enumerate(state.definition.steps if state.steps else ()):
        step = state.steps[number]
        if spec.name in request.done and step.status in ("ready", "failed"):
            fact = f.StepCompleted(state.run, spec.name, 1, request.done[spec.name])
            facts.append(fact)
            state = _ahead(state, fact, now)
    if state.status == "running" and all(step.status == "completed" for step in state.steps):
        return [*facts, f.Completed(state.run)] if facts else facts
    if state.claim is None or state.claim.by != request.by or request.unsure:
        return facts
    failed = _failed(state, request, now)
    if failed is not None:
        facts.append(failed)
        state = _ahead(state, failed, now)
    if state.claim is not None:
        facts.append(f.ClaimReleased(state.run, state.claim.number))
    return facts


def _ahead(state: Instance, fact: f.Fact, now: int) -> Instance:
    after = evolve(state, fact, Here(state.offset + 1, now))
    assert after is not None, "a claim made its instance leave"
    return after


def _failed(state: Instance, request: Claim, now: int) -> f.StepFailed | None:
    """How the first step without a result failed; the effect itself for good, at once."""
    number = next((n for n, step in enumerate(state.steps) if step.status == "ready"), None)
    if number is None or request.failed is None:
        return None
    step, error = state.steps[number], request.failed
    if state.definition.steps[number].after:
        return step_failed(state, number, step, step.attempt, error, now)
    if error.kind == "unavailable":  # nothing was done, and nobody tries again
        error = replace(error, kind="terminal")
    name = state.definition.steps[number].name
    return f.StepFailed(state.run, name, step.attempt, error, final=True)
