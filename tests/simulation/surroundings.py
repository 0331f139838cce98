"""What every process of a world has around it."""

from collections import Counter
from collections.abc import Callable
from contextvars import Context
from hashlib import blake2b
from itertools import count
from typing import Any

from sagalog.streams.testing.loop import VirtualLoop
from tests.simulation.broker import Broker
from tests.simulation.chance import Chance
from tests.simulation.group import Group
from tests.simulation.journeys import Network, Strike
from tests.simulation.stage import Outside

BEGINNING = 1_700_000_000_000
"""When worlds begin, in ms since the epoch."""


class Surroundings:
    """Time, chance, the broker and the ways to it; and names that nobody else has."""

    def __init__(self, loop: VirtualLoop, chance: Chance, outside: Context) -> None:
        self.loop, self.chance, self.outside = loop, chance, outside
        self.network = Network()
        self.groups: dict[str, Group] = {}
        self.story: list[str] | None = None
        self.dozed = 0.0
        self.seen: Counter[str] = Counter()
        self.broker: Broker
        self.striker: Callable[[Any], Strike]
        self.watching: Callable[[Any], Outside]
        self.moods: Callable[[], list[str]]
        self.largest: Callable[[str], int]
        self._pids, self._tokens = count(1), count(1)

    def now(self) -> int:
        """The true time, in ms since the epoch."""
        return BEGINNING + round(self.loop.time() * 1000)

    def later(self, seconds: float, call: Callable[..., Any], *args: Any) -> None:
        """Call something in a while, outside of all processes."""
        self.loop.call_later(seconds, call, *args, context=self.outside)

    def doze(self, seconds: float) -> None:
        """All machines stand still, and the broker's too."""
        self.dozed += seconds
        self.loop.pass_time(seconds)

    def new_pid(self) -> int:
        """A process's number."""
        return next(self._pids)

    def token(self, size: int) -> str:
        """So many bytes as hexadecimal digits, that nobody else has."""
        return blake2b(b"%d" % next(self._tokens), digest_size=size).hexdigest()

    def saw(self, situation: str) -> None:
        """Something interesting has happened; see `counters`."""
        self.seen[situation] += 1

    def tell(self, line: str) -> None:
        """Add a line to the story, where one is told."""
        if self.story is not None:
            self.story.append(f"{self.loop.time():9.3f}  {line}")
