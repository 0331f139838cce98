"""What goes wrong on the stage: which calls fail, hang, or find something away."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sagalog.streams.testing.calls import Call

When = Callable[[Call], bool]
Act = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Target:
    """The calls of an operation, or of a step, by name; `app` None where any app's is meant."""

    app: str | None
    name: str

    def fits(self, call: Call) -> bool:
        """Whether this call is meant. A step's name means its forward handler."""
        if self.app not in (None, call.app):
            return False
        return call.operation == self.name or (call.phase, call.step) == ("forward", self.name)


@dataclass(slots=True)
class Cue:
    """What happens to calls: to which, how often, before or after their effect.

    It is `times` by calls as the log counts them: one that a crash made to be called again
    meets the same fate again.
    """

    target: Target
    act: Act
    times: int | None = None
    attempt: int | None = None
    when: When | None = None
    after_effect: bool = False
    met: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])

    def meets(self, call: Call) -> bool:
        """Whether it happens to this call; remembered."""
        if not self.target.fits(call) or self.attempt not in (None, call.attempt):
            return False
        if self.when is not None and not self.when(call):
            return False
        which = (call.idempotency_key, call.attempt)
        if self.times is not None and which not in self.met and len(self.met) >= self.times:
            return False
        self.met.add(which)
        return True


class Script:
    """All cues, in the order in which they were given; each that meets a call acts."""

    def __init__(self) -> None:
        self._cues: list[Cue] = []

    def add(self, cue: Cue) -> None:
        """From now on."""
        self._cues.append(cue)

    def mend(self, target: Target) -> None:
        """Nothing goes wrong with these any more."""
        self._cues = [cue for cue in self._cues if cue.target.name != target.name]

    def meeting(self, call: Call) -> list[Cue]:
        """What happens to this call."""
        return [cue for cue in self._cues if cue.meets(call)]


def failing(error: BaseException | type[BaseException]) -> Act:
    """Raise it."""

    async def act() -> None:
        # One object for all calls would collect their tracebacks.
        raise error.with_traceback(None) if isinstance(error, BaseException) else error

    return act


def hanging(seconds: float | None) -> Act:
    """Wait so long, or for ever."""

    async def act() -> None:
        if seconds is None:
            await asyncio.get_running_loop().create_future()
        else:
            await asyncio.sleep(seconds)

    return act
