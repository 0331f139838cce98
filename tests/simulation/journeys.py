"""The ways between a process and the broker: how long they take, what is lost on them, and when.

A message that was sent outlives its sender: it lands later, or was cut off with it. An answer to
a process that is frozen waits, one to a dead process is heard by nobody.
"""

from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, TypeVar

from sagalog.streams.errors import LogError, LogUnavailable
from sagalog.streams.testing.loop import Process, VirtualLoop
from tests.simulation.chance import Stream

T = TypeVar("T")

STILL = (0.0,)
NEAR = (*(0.0,) * 5, 0.001, 0.004, 0.03)
UNEVEN = (*(0.0,) * 4, 0.002, 0.02, 0.1, 0.3)
ROUGH = (*(0.0,) * 6, 0.001, 0.01, 0.1, 0.5, 1.5, 4.0)

Strike = Callable[[str], bool]
"""Whether the process dies at the crash point of this name; it is dead when that returns."""


class Network:
    """How slow the ways of a world are, in seconds, and how often a call fails (percent)."""

    def __init__(self) -> None:
        self.calls: tuple[float, ...] = STILL
        self.fetches: dict[str, tuple[float, ...]] = {}
        self.failing = 0.0
        self.partial = 0.0

    def roughen(self, chance: Stream) -> None:
        """Draw how slow it is: each kind of topic by itself, so that they overtake each other."""
        kinds = (STILL, NEAR, UNEVEN, ROUGH)
        self.calls = chance.pick(kinds)
        for topic in ("events", "high", "normal", "low", "compensations", "replies"):
            self.fetches[topic] = chance.pick(kinds)

    def heal(self) -> None:
        """Everything is near and works."""
        self.calls, self.failing, self.partial = STILL, 0.0, 0.0
        self.fetches.clear()

    @property
    def near(self) -> bool:
        """Whether calls take next to no time, and work."""
        return self.calls[-1] <= NEAR[-1] and not self.failing

    def call(self, chance: Stream) -> float:
        """Seconds of one way."""
        return chance.pick(self.calls)

    def fetch(self, topic: str, chance: Stream) -> float:
        """Seconds until a record that has landed is read."""
        delays = self.fetches.get(topic.rpartition(".")[2], STILL)
        return chance.pick(delays)


class Wire:
    """One message under way to the broker. A `lost` one never arrives."""

    __slots__ = ("arrive", "lost")

    def __init__(self, arrive: Callable[[], object]) -> None:
        self.arrive, self.lost = arrive, False


class Line:
    """The connections of one process."""

    def __init__(
        self,
        loop: VirtualLoop,
        network: Network,
        chance: Stream,
        process: Process,
        outside: Context,
        strike: Strike,
        saw: Callable[[str], None],
    ) -> None:
        self.process, self.network, self.loop = process, network, loop
        self.chance = chance
        self.inside = process.run(copy_context)
        self.strike, self.saw = strike, saw
        self.cut_until = 0.0
        self._outside = outside
        self._wires: dict[Wire, None] = {}

    @property
    def dead(self) -> bool:
        """Whether nothing that the process does reaches anybody any more."""
        return not self.process.alive

    @property
    def away(self) -> float:
        """Seconds for which the process reaches nobody."""
        return max(0.0, self.cut_until - self.loop.time())

    def send(self, arrive: Callable[[], object]) -> None:
        """Do something at the broker, after a while."""
        delay = self.network.call(self.chance) + self.away
        if not delay:
            arrive()
            return
        wire = Wire(arrive)
        self._wires[wire] = None
        self.loop.call_later(delay, self._arrived, wire, context=self._outside)

    def _arrived(self, wire: Wire) -> None:
        self._wires.pop(wire, None)
        if not wire.lost:
            wire.arrive()

    def answer(self, hear: Callable[..., Any], *args: Any, after: float = 0.0) -> None:
        """Call something within the process, after a while."""
        delay = self.network.call(self.chance) + self.away + after
        if delay:
            self.loop.call_later(delay, hear, *args, context=self.inside)
        else:
            self.loop.call_soon(hear, *args, context=self.inside)

    def fall_silent(self) -> None:
        """The process has died: each message under way was sent whole, or is cut off."""
        for wire in self._wires:
            wire.lost = bool(self.chance.choose(2))
            self.saw("cut off with its sender" if wire.lost else "sent by one who died")
        self._wires.clear()

    async def ask(
        self, effect: Callable[[], T], *, before: str = "", landed: str = "", limit: float = 30.0
    ) -> T:
        """What the broker says to a call. `before` and `landed` name crash points.

        Raises LogUnavailable after `limit` seconds, and where the world wants it: then nobody
        knows whether the broker has done it.
        """
        future = self.loop.create_future()
        if self.dead or (before and self.strike(before)):
            return await future  # type: ignore[no-any-return]
        fails = self._fails()
        if self.away > limit:
            self.loop.call_later(limit, _fail, future, "no answer in time")
        if fails == 1:
            self.answer(_fail, future, "the broker is away", after=1.0)
        else:
            self.send(lambda: self._done(effect, future, landed, told=fails != 2))
        return await future  # type: ignore[no-any-return]

    def _fails(self) -> int:
        """0: it does not; 1: the call is lost; 2: its answer is."""
        return 1 + self.chance.choose(2) if self.chance.odds(self.network.failing) else 0

    def _done(self, effect: Callable[[], Any], future: Any, landed: str, *, told: bool) -> None:
        hear: Callable[[Any, Any], None]
        try:
            said, hear = effect(), _tell
        except LogError as error:
            said, hear = error, _raise
        if landed and not self.dead and self.strike(landed):
            return
        if told:
            self.answer(hear, future, said)
        else:
            self.answer(_fail, future, "the answer was lost", after=1.0)


def _tell(future: Any, said: Any) -> None:
    if not future.done():
        future.set_result(said)


def _raise(future: Any, error: LogError) -> None:
    if not future.done():
        future.set_exception(error)


def _fail(future: Any, why: str) -> None:
    if not future.done():
        future.set_exception(LogUnavailable(why))
