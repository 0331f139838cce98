"""When a failed call is tried again."""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b

from sagalog.engine.errors import DeclarationError, Terminal
from sagalog.schemas.definition import RetrySpec

Duration = float | timedelta
"""Seconds, or a timedelta."""


def milliseconds(duration: Duration, field: str) -> int:
    """A duration as the wire has it; DeclarationError names `field` where it is negative."""
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    if not 0 <= seconds < float("inf"):
        raise DeclarationError(field, f"{duration!r} is no duration", "Give seconds, 0 or more.")
    return round(seconds * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often, and when, a handler is called again after an exception.

    The wait before attempt n+1 is `min(first * factor**(n-1), longest)`, less a random
    share of at most `jitter`. Exceptions in `never`, and those not in `only`, are final.
    `give_up_after` bounds the time for which `Unavailable` may go on without an attempt.
    """

    max_attempts: int = 3
    first: Duration = 0.5
    factor: float = 2.0
    longest: Duration = 60.0
    jitter: float = 0.2
    give_up_after: Duration = 3600.0
    only: tuple[type[Exception], ...] = (Exception,)
    never: tuple[type[Exception], ...] = ()

    def __post_init__(self) -> None:
        """Refuse numbers that make no policy."""
        if self.max_attempts < 1:
            raise DeclarationError(
                "Retry.max_attempts", "must be at least 1", "Use 1 for a single call."
            )
        if not 0 <= self.jitter <= 1:
            raise DeclarationError("Retry.jitter", "must be from 0 to 1", "0.2 is usual.")
        if not 1 <= self.factor <= 1000:
            raise DeclarationError("Retry.factor", "must be from 1 to 1000", "2 is usual.")
        self.spec()

    def spec(self) -> RetrySpec:
        """The part that travels in the definition; the exception types stay in the code."""
        return RetrySpec(
            max_attempts=self.max_attempts,
            first=milliseconds(self.first, "Retry.first"),
            factor=float(self.factor),
            longest=milliseconds(self.longest, "Retry.longest"),
            jitter=self.jitter,
            give_up_after=milliseconds(self.give_up_after, "Retry.give_up_after"),
        )

    def retryable(self, error: BaseException) -> bool:
        """Whether another call may help after `error`."""
        if isinstance(error, (Terminal, *self.never)):
            return False
        return isinstance(error, self.only)


def draw(seed: str) -> float:
    """A number from 0 to 1 that looks random and depends on `seed` alone."""
    return int.from_bytes(blake2b(seed.encode(), digest_size=4).digest()) / 0xFFFFFFFF


def delay(spec: RetrySpec, failures: int, drawn: float) -> int:
    """Milliseconds to wait after `failures` failed calls (1 or more); `drawn` from 0 to 1.

    Exponential backoff, cut at `longest`.
    """
    try:
        wait = min(spec.first * spec.factor ** (failures - 1), spec.longest)
    except OverflowError:
        wait = spec.longest
    return round(wait * (1 - spec.jitter * drawn))
