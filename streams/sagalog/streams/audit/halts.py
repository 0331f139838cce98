"""What was held in a partition, and when: no call begins whose caller had read that it is."""

from collections.abc import Iterator

from sagalog.engine.pauses import NOTHING_HELD, Pauses, folded
from sagalog.schemas.pauses import PauseFact
from sagalog.streams.audit.calls import Doubt, Line
from sagalog.streams.audit.life import Life


class Halts:
    """The holds of one partition, as each fact left them, by the offsets of the facts.

    `ever` are the operations that have been held.
    """

    def __init__(self) -> None:
        self.ever: frozenset[str] = frozenset()
        self._history: list[tuple[int, Pauses]] = [(-1, NOTHING_HELD)]

    def fold(self, offset: int, time: int, fact: PauseFact) -> None:
        """A fact about what is held, stamped `time` (ms)."""
        before = self._history[-1][1]
        after = folded(before, fact, time)
        if fact.operation:
            self.ever = self.ever | {fact.operation}
        if after is not before:
            self._history.append((offset, after))

    def at(self, offset: int) -> Pauses:
        """What was held for whoever had read the facts below `offset`."""
        return next(held for at, held in reversed(self._history) if at < offset)

    def broken(self, life: Life, line: Line) -> Iterator[Doubt]:
        """What is wrong with the beginning of a call, where it is known what its caller had read.

        The call of a breaker that is due for a probe is none, since somebody has to be it.
        """
        step, call = life.steps.get(line.call.step), line.call
        if step is None or call.read < 0 or len(self._history) == 1:
            return
        operation = step.spec.undo if call.phase == "undo" else step.spec.operation
        known = [self.at(call.read)]
        known += [held for at, held in self._history if call.read <= at < call.seen]
        holds = [held.of(operation or "") for held in known]
        if all(hold.paused or hold.until > call.at for hold in holds):
            yield "S14", f"{line.what} began, and {operation} was held"
