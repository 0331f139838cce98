"""What one owner of a partition holds of one limiter, and when it must ask again. Volatile."""

from typing import NamedTuple

from sagalog.engine.turns import Turns
from sagalog.schemas.limits import LimitSpec, PermitsGranted

SLICE = 100
"""Milliseconds for which permits are used on although others have less than their share."""

LINGER = 1_000
"""Milliseconds for which permits are kept without use, where nobody else waits for them."""


class Wish(NamedTuple):
    """What is to be asked for; see `PermitsAsked`."""

    keep: int
    wanted: int
    tokens: int


NOTHING = Wish(0, 0, 0)


class Purse:
    """Permits that are lent, and the calls that wait for some. Times in ms of its owner's clock.

    `ends` is when nothing more is begun with them: nine tenths of a lease after the request
    was sent that they were lent for. While a request is under way no more are used than it
    said would be kept.
    """

    __slots__ = (
        "_asked",
        "_asked_at",
        "_idle_at",
        "_keep",
        "_number",
        "_peak",
        "_pressed",
        "_serial",
        "_yields_at",
        "answered",
        "ends",
        "key",
        "lease",
        "metered",
        "name",
        "operation",
        "permits",
        "spec",
        "tokens",
        "used",
        "waiting",
    )

    def __init__(self, name: str, operation: str, key: str, spec: LimitSpec) -> None:
        self.name, self.operation, self.key, self.spec = name, operation, key, spec
        self.waiting = Turns()
        self.permits = self.used = self.tokens = self.ends = 0
        self.metered = False
        self.lease = spec.lease
        self.answered = True
        self._number, self._serial, self._keep = 0, -1, 0
        self._asked, self._asked_at = NOTHING, 0
        self._yields_at = self._idle_at = self._peak = 0
        self._pressed = False

    @property
    def need(self) -> int:
        """How many permits it has use for."""
        return self.used + len(self.waiting)

    def free(self, now: int) -> bool:
        """Whether one more call may begin."""
        if now >= self.ends or (self.metered and not self.tokens) or self._yielding(now):
            return False
        return self.used < (self.permits if self.answered else min(self.permits, self._keep))

    def use(self) -> None:
        """One more call begins."""
        self.used += 1
        self.tokens -= self.metered
        self._peak = max(self._peak, self.used)

    def freed(self, now: int) -> None:
        """One call has ended."""
        self.used -= 1
        self._idle_at = now

    def _yielding(self, now: int) -> bool:
        return 0 < self._yields_at <= now

    # -- asking

    def wish(self, now: int) -> Wish | None:
        """What to ask for now; None for nothing."""
        again = now >= self._asked_at + self.lease // 3
        if not self.answered:
            return self._wish(self._keep) if again else None
        if self._yielding(now) and self.permits > self.used:
            return self._wish(self.used)
        if self.need > self.permits >= self._asked.wanted:
            return self._wish(self.permits)
        if self.metered and len(self.waiting) > self.tokens and not self._asked.tokens:
            return self._wish(self.permits)
        if self.need < self.permits and now >= self._idle_at + self._linger:
            return self._wish(self.need)
        return self._wish(min(self.permits, max(self._peak, self.used))) if again else None

    def _wish(self, keep: int) -> Wish:
        tokens = max(0, len(self.waiting) - self.tokens) if self.metered else 0
        return Wish(keep, max(self.need, keep), tokens)

    def anew(self) -> Wish:
        """What to ask for where nothing is to change but the limit that is gone by."""
        return self._wish(self.permits if self.answered else self._keep)

    @property
    def _linger(self) -> int:
        return SLICE if self._pressed else LINGER

    def asked(self, wish: Wish, number: int, now: int) -> None:
        """This has been asked, as the owner's request `number`."""
        self._asked, self._asked_at, self._number = wish, now, number
        self._keep, self.answered = wish.keep, False
        self._peak = self.used

    def granted(self, fact: PermitsGranted, now: int) -> None:
        """The limiter's fold has changed what is held. Repeats, and the past, change nothing."""
        if fact.serial <= self._serial:
            return
        self._serial, self.metered, self.lease = fact.serial, fact.metered, fact.lease
        self.tokens += fact.tokens
        left = max(0, self._asked.tokens - fact.tokens)
        self._asked = self._asked._replace(tokens=left if fact.metered else 0)
        if fact.number != self._number:
            return
        self._pressed = fact.pressure > 0
        if fact.pressure < 2:
            self._yields_at = 0
        elif not self.answered or not self._yields_at:
            self._yields_at = now + SLICE
        self.answered, self.permits = True, fact.permits
        self.ends = self._asked_at + fact.lease * 9 // 10

    def due(self, now: int) -> int:
        """When to look again, whatever happens."""
        times = [self._asked_at + self.lease // 3]
        if self.answered and self._yields_at > now:
            times.append(self._yields_at)
        if self.answered and self.need < self.permits:
            times.append(self._idle_at + self._linger)
        return max(now + 1, min(times))
