"""When an operation is held by itself, because what it needs is away; and what its owner counts."""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from sagalog.engine.errors import DeclarationError
from sagalog.engine.pauses import Held
from sagalog.engine.results import Result, Returned
from sagalog.engine.retry import Duration, milliseconds
from sagalog.schemas.pauses import BreakerClosed, BreakerOpened


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Holds an operation while what it needs is away.

    It opens in a partition where `failures` calls end as `Unavailable` within `within`
    seconds, with no other end between them. `probe_after` that, one call is let through;
    each probe that fails doubles the wait, up to `longest`.
    """

    failures: int = 5
    within: Duration = 30.0
    probe_after: Duration = 10.0
    longest: Duration = 300.0

    def __post_init__(self) -> None:
        """Refuse numbers that make no breaker."""
        if self.failures < 1:
            raise DeclarationError("Breaker.failures", "must be at least 1", "5 is usual.")
        if milliseconds(self.within, "Breaker.within") < 1:
            raise DeclarationError("Breaker.within", "must be above 0", "30 is usual.")
        if milliseconds(self.probe_after, "Breaker.probe_after") < 1:
            raise DeclarationError("Breaker.probe_after", "must be above 0", "10 is usual.")
        if self.wait(0) < milliseconds(self.probe_after, "Breaker.probe_after"):
            raise DeclarationError(
                "Breaker.longest", "is below probe_after", "Give the longest wait for a probe."
            )

    def wait(self, times: int) -> int:
        """Milliseconds until the probe, where it has opened so many times in a row before."""
        longest = milliseconds(self.longest, "Breaker.longest")
        return min(milliseconds(self.probe_after, "Breaker.probe_after") << min(times, 32), longest)


BreakerFact = BreakerOpened | BreakerClosed
_USUAL = Breaker()


class Breakers:
    """What one owner counts: the fruitless calls of late. Lost with it, and begun anew.

    `declared` gives the breaker of an operation, None where it has none.
    """

    def __init__(self, declared: Callable[[str], Breaker | None]) -> None:
        self._declared = declared
        self._away: defaultdict[str, deque[int]] = defaultdict(deque)
        self._said: dict[str, int] = {}

    def probed(self, operation: str, held: Held, result: Result, now: int) -> BreakerFact | None:
        """What a probe that has ended at `now` (ms) tells; None where nobody waits for it."""
        if not held.until:
            return None
        kind = None if isinstance(result, Returned) else result.kind
        if kind not in ("unavailable", "timeout"):
            return BreakerClosed(operation, held.number)
        wait = (self._declared(operation) or _USUAL).wait(held.times)
        return BreakerOpened(operation, held.number + 1, now + wait, _reason(result))

    def ended(self, operation: str, held: Held, result: Result, now: int) -> BreakerFact | None:
        """What any other call that has ended at `now` (ms) tells."""
        breaker = self._declared(operation)
        if breaker is None or held.until:
            return None
        if isinstance(result, Returned) or result.kind != "unavailable":
            if isinstance(result, Returned) or result.kind != "timeout":
                self._away.pop(operation, None)
            return None
        times = self._away[operation]
        times.append(now)
        while times[0] <= now - milliseconds(breaker.within, "Breaker.within"):
            times.popleft()
        number = held.number + 1
        if len(times) < breaker.failures or self._said.get(operation) == number:
            return None
        del self._away[operation]
        self._said[operation] = number
        return BreakerOpened(operation, number, now + breaker.wait(0), _reason(result))


def _reason(result: Result) -> str:
    return "" if isinstance(result, Returned) else f"{result.type}: {result.message}"[:500]
