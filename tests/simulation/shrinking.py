"""From a trace that fails to a shorter and duller one that fails in the same way."""

import time
from collections.abc import Callable

from tests.simulation.chance import Trace

Judged = Callable[[Trace], str]
"""What a trace breaks, beginning with the letter of an invariant; empty where nothing."""


class Shrinking:
    """Tries simpler traces for so many seconds, and keeps the best."""

    def __init__(self, trace: Trace, judged: Judged, seconds: float) -> None:
        self.best, self.said = trace, judged(trace)
        self._judged, self._until = judged, time.monotonic() + seconds

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self._until

    @property
    def _size(self) -> int:
        return sum(sum(made) + len(made) for made in self.best.values())

    def shrink(self) -> None:
        """Until nothing helps any more: whole streams first, then parts, then numbers."""
        size = 0
        while self.said and not self.over and size != self._size:
            size = self._size
            for kind in sorted(self.best, key=lambda kind: -len(self.best[kind])):
                self._better(kind, [])
            for kind in list(self.best):
                part = len(self.best.get(kind, ())) // 2
                while part and not self.over:
                    self._parts(kind, part)
                    part //= 2
                self._numbers(kind)

    def _better(self, kind: str, made: list[int]) -> bool:
        """Take a candidate for one stream that fails in the same way."""
        made = trimmed(made)
        if self.over or made == self.best.get(kind, []):
            return False
        candidate = {**self.best, kind: made}
        if not made:
            del candidate[kind]
        said = self._judged(candidate)
        if said[:2] != self.said[:2]:
            return False
        self.best, self.said = candidate, said
        return True

    def _parts(self, kind: str, part: int) -> None:
        """Cut parts of this length off, cut them out, or make them dull."""
        while self._better(kind, self.best.get(kind, [])[:-part]):
            pass
        at = 0
        while at < len(made := self.best.get(kind, [])) and not self.over:
            before, behind = made[:at], made[at + part :]
            if not self._better(kind, before + behind):
                if any(made[at : at + part]):
                    self._better(kind, before + [0] * min(part, len(made) - at) + behind)
                at += part

    def _numbers(self, kind: str) -> None:
        """Halve the numbers, one by one."""
        at = 0
        while at < len(made := self.best.get(kind, [])) and not self.over:
            smaller = [*made[:at], made[at] // 2, *made[at + 1 :]]
            if not made[at] or not self._better(kind, smaller):
                at += 1


def trimmed(made: list[int]) -> list[int]:
    """Without the dull end, which is implied."""
    while made and not made[-1]:
        made = made[:-1]
    return made


def shrunk(trace: Trace, judged: Judged, seconds: float) -> tuple[Trace, str]:
    """The shortest and dullest trace found within so many seconds, and what it breaks."""
    shrinking = Shrinking(trace, judged, seconds)
    shrinking.shrink()
    return shrinking.best, shrinking.said
