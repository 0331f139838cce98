"""The one source of chance of a world: every decision is a choice of one number.

Choices of one kind form a stream of their own, under a name: so a trace still says much when
a generator changes elsewhere, and whoever shrinks it can take a kind away.

0 is always the dullest choice (no fault, no delay, the first of a list). A stream that ends
goes on with zeros.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

Draw = Callable[[int], int]
"""Gives a number from 0 to below its argument."""

Trace = dict[str, list[int]]
"""What was chosen, stream by stream: it replays the world."""


class Stream:
    """Choices of one kind. `made` are those made so far; what has no choice is none."""

    __slots__ = ("_draw", "made")

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self.made: list[int] = []

    def choose(self, n: int) -> int:
        """A number from 0 to n-1."""
        if n <= 1:
            return 0
        chosen = self._draw(n)
        self.made.append(chosen)
        return chosen

    def pick(self, options: Sequence[T]) -> T:
        """One of the options; the first is the dullest."""
        return options[self.choose(len(options))]

    def odds(self, percent: float) -> bool:
        """True so often; never where `percent` is 0, and then nothing is drawn."""
        return percent > 0 and self.choose(1000) >= 1000 - percent * 10

    def some(self, options: Sequence[T], percent: float) -> list[T]:
        """Each of the options so often."""
        return [option for option in options if self.odds(percent)]


class Chance:
    """Where all streams of a world come from."""

    def __init__(self) -> None:
        self._streams: dict[str, Stream] = {}

    def of(self, kind: str) -> Stream:
        """The stream of this name."""
        stream = self._streams.get(kind)
        if stream is None:
            stream = self._streams[kind] = Stream(self._drawing(kind))
        return stream

    def _drawing(self, kind: str) -> Draw:
        raise NotImplementedError("each source draws in its own way")

    @property
    def trace(self) -> Trace:
        """What was chosen until now."""
        return {kind: list(stream.made) for kind, stream in self._streams.items() if stream.made}


class Seeded(Chance):
    """Fast: a number generator."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        random = Random(seed).random
        self._draw: Draw = lambda n: int(random() * n)

    def _drawing(self, kind: str) -> Draw:
        return self._draw


class Replayed(Chance):
    """A trace once more."""

    def __init__(self, trace: Mapping[str, Sequence[int]]) -> None:
        super().__init__()
        self._trace = trace

    def _drawing(self, kind: str) -> Draw:
        made = iter(self._trace.get(kind, ()))
        return lambda n: next(made, 0) % n


class Drawn(Chance):
    """What somebody else draws, at most `most` numbers of it; then everything is dull."""

    def __init__(self, draw: Callable[[int], Any], most: int) -> None:
        super().__init__()
        self._source, self._left = draw, most

    def _drawing(self, kind: str) -> Draw:
        return self._drawn

    def _drawn(self, n: int) -> int:
        self._left -= 1
        return int(self._source(n)) if self._left >= 0 else 0
