"""The one source of chance of a world: every decision is a choice of one number.

0 is always the dullest choice (no fault, no delay, the first of a list). So a trace that ends
early goes on without faults, and whoever shrinks a trace makes its numbers smaller.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")


class Chance:
    """Chooses, and remembers what it chose. `made` is the trace that replays the world."""

    def __init__(self) -> None:
        self.made: list[int] = []

    def choose(self, n: int) -> int:
        """A number from 0 to n-1."""
        raise NotImplementedError("each source draws in its own way")

    def pick(self, options: Sequence[T]) -> T:
        """One of the options; the first is the dullest."""
        return options[self.choose(len(options))]

    def odds(self, percent: float) -> bool:
        """True so often; never where `percent` is 0, and then nothing is drawn."""
        return percent > 0 and self.choose(1000) >= 1000 - percent * 10

    def some(self, options: Sequence[T], percent: float) -> list[T]:
        """Each of the options so often."""
        return [option for option in options if self.odds(percent)]


class Seeded(Chance):
    """Fast: a number generator."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = Random(seed).random

    def choose(self, n: int) -> int:
        chosen = int(self._random() * n)
        self.made.append(chosen)
        return chosen


class Replayed(Chance):
    """A trace once more; behind its end everything is dull."""

    def __init__(self, trace: Sequence[int]) -> None:
        super().__init__()
        self._trace = trace

    def choose(self, n: int) -> int:
        at = len(self.made)
        chosen = self._trace[at] % n if at < len(self._trace) else 0
        self.made.append(chosen)
        return chosen


class Drawn(Chance):
    """What somebody else draws, at most `most` numbers of it; then everything is dull."""

    def __init__(self, draw: Callable[[int], Any], most: int) -> None:
        super().__init__()
        self._draw, self._most = draw, most

    def choose(self, n: int) -> int:
        chosen = int(self._draw(n)) if len(self.made) < self._most else 0
        self.made.append(chosen)
        return chosen
