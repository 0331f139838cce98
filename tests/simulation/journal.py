"""The world that handlers touch, and who was called when: told by handlers, judged as they call.

It knows what the log says from the log alone.
"""

from collections import Counter
from collections.abc import Callable

from sagalog.engine import Context
from sagalog.schemas import facts as f
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.record import Record

Key = tuple[str, str, str]
"""Instance, run, step."""


class Journal:
    """Completions as they stand in the log, calls as they begin, and effects as they are."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.there: dict[str, bool] = {}
        self.calls: Counter[str] = Counter()
        self.facts: Counter[str] = Counter()
        self._say = say
        self._done: dict[Key, int] = {}
        self._after: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}

    # -- the log

    def landed(self, record: Record, message: Envelope) -> None:
        """A fact is in the log."""
        fact, instance = message.data, message.subject
        if isinstance(fact, f.Started):
            specs = {spec.name: spec.after for spec in fact.definition.steps}
            self._after.setdefault((instance, fact.run), specs)
        elif isinstance(fact, f.StepCompleted) or (
            isinstance(fact, f.StepReleased) and fact.how != "retry" and not fact.number
        ):
            self._done.setdefault((instance, fact.run, fact.step), record.offset)

    # -- the handlers

    def begins(self, ctx: Context, run: str, read: int) -> None:
        """A call begins in an owner that has dealt with all facts below `read`."""
        self.calls[ctx.idempotency_key] += 1
        if ctx.phase != "forward":
            return
        instance, step = ctx.instance, ctx.step
        done = self._done.get((instance, run, step))
        if done is not None and done < read:
            self._say(f"S7 {instance} computes {step} again: its result stands at {done} < {read}")
        for before in self._after.get((instance, run), {}).get(step, ()):
            if (instance, run, before) not in self._done:
                self._say(f"S2 {instance} calls {step} before {before} is completed")

    def happens(self, ctx: Context) -> None:
        """A call has had its effect: an undo takes away what its step has done."""
        step = ":".join(ctx.idempotency_key.split(":")[:3])
        self.there[step] = ctx.phase == "forward"

    def remaining(self, instance: str, run: str) -> list[str]:
        """The steps of a life whose effects are there."""
        start = f"{instance}:{run}:"
        return [
            key.removeprefix(start)
            for key, there in self.there.items()
            if there and key.startswith(start)
        ]

