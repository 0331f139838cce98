"""A limiter: who holds how many permits of it. (state, fact) -> state, pure and total.

Each fact that counts is followed by one division of what is free, which every reader
computes alike. So nobody decides, and no two owners can lend the same permit.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
from pydantic import TypeAdapter

from sagalog.engine.payload import kept
from sagalog.schemas.limits import (
    UNLIMITED,
    LimiterFact,
    LimitSet,
    LimitSpec,
    PermitsAsked,
    PermitsExpired,
    PermitsRefilled,
)

NO_BOUND = 1 << 40
_NEARLY = 1e-6


class Lease(NamedTuple):
    """What one owner of a partition holds and asks for, by the latest of its requests.

    `tokens` are those that it still waits for, `given` those that the fact at `serial`,
    the last that changed anything for it, gave it. For `pressure` see `PermitsGranted`.
    """

    run: str
    partition: int
    number: int
    permits: int = 0
    wanted: int = 0
    tokens: int = 0
    given: int = 0
    pressure: int = 0
    serial: int = -1


class Limiter(NamedTuple):
    """The state of a limiter, or (with the key None) of the board of one partition.

    The leases stand in the order in which those that have equally much are served. `spent`
    tokens were missing at `stamp`, the log's time of the fact at `offset` (ms).
    """

    operation: str
    key: str | None
    declared: LimitSpec = UNLIMITED
    override: LimitSpec | None = None
    leases: tuple[Lease, ...] = ()
    spent: float = 0.0
    stamp: int = 0
    offset: int = -1

    @property
    def limit(self) -> LimitSpec:
        """The limit that holds now."""
        return self.declared if self.override is None else self.override

    @property
    def lent(self) -> int:
        """How many permits are out."""
        return sum(lease.permits for lease in self.leases)

    def lease(self, run: str) -> Lease | None:
        """The lease of an owner."""
        return next((lease for lease in self.leases if lease.run == run), None)

    def refill_in(self) -> int | None:
        """In how many ms from its stamp time has brought what it must; None for never.

        That is tokens for who waits for some, or all that are missing, where nobody is left.
        """
        limit, wanted = self.limit, sum(x.tokens for x in self.leases if x.permits)
        if limit.rate is not None and not self.leases and self.override is None:
            return round(self.spent * limit.per / limit.rate + 1)
        if limit.rate is None or not wanted:
            return None
        batch = min(wanted, max(1, min(limit.burst // 2, limit.rate * 50 // limit.per)))
        missing = max(0.0, batch - (limit.burst - self.spent))
        return max(1, round(missing * limit.per / limit.rate + 0.5))


def evolve(state: Limiter | None, fact: LimiterFact, offset: int, stamp: int) -> Limiter | None:
    """The state after `fact`, which stands at `offset`; the very same where it is stale.

    None where nothing is left to be known: no lease, no limit set, and no token missing.
    """
    before = _new(fact, stamp) if state is None else state
    if before is None or offset <= before.offset:
        return state
    after = _RULES[type(fact)](before, fact)
    if after is before:
        return state
    after = _divided(_refilled(after, stamp), before, offset)
    bare = not after.leases and after.override is None and not after.spent
    return None if bare else after


def _new(fact: LimiterFact, stamp: int) -> Limiter | None:
    if isinstance(fact, PermitsAsked | LimitSet):
        return Limiter(fact.operation, fact.key, stamp=stamp)
    return None


def _asked(state: Limiter, fact: PermitsAsked) -> Limiter:
    known = state.lease(fact.run)
    if known is not None and fact.number <= known.number:
        return state
    state = state._replace(declared=fact.limit)
    if not (fact.keep or fact.wanted or fact.tokens):
        return state._replace(leases=tuple(x for x in state.leases if x.run != fact.run))
    permits = min(fact.keep, known.permits) if known else 0
    lease = Lease(
        fact.run,
        fact.partition,
        fact.number,
        permits,
        max(fact.wanted, permits),
        fact.tokens,
    )
    if known is not None and permits == known.permits:  # it keeps its place
        return state._replace(leases=tuple(lease if x is known else x for x in state.leases))
    return state._replace(leases=(*(x for x in state.leases if x is not known), lease))


def _expired(state: Limiter, fact: PermitsExpired) -> Limiter:
    left = tuple(x for x in state.leases if (x.run, x.number) != (fact.run, fact.number))
    return state if len(left) == len(state.leases) else state._replace(leases=left)


def _brought(state: Limiter, _: PermitsRefilled) -> Limiter:
    return state if state.limit.rate is None else state._replace()


def _set(state: Limiter, fact: LimitSet) -> Limiter:
    return state._replace(override=fact.limit)


_RULES: dict[type[Any], Callable[[Limiter, Any], Limiter]] = {
    PermitsAsked: _asked,
    PermitsExpired: _expired,
    PermitsRefilled: _brought,
    LimitSet: _set,
}


def _refilled(state: Limiter, stamp: int) -> Limiter:
    limit, passed = state.limit, max(0, stamp - state.stamp)
    spent = 0.0
    if limit.rate is not None:
        spent = max(0.0, state.spent - passed * limit.rate / limit.per)
    return state._replace(spent=spent, stamp=stamp)


def _divided(state: Limiter, before: Limiter, offset: int) -> Limiter:
    limit = state.limit
    bound = NO_BOUND if limit.concurrency is None else limit.concurrency
    leases = _lent([x._replace(given=0) for x in state.leases], bound - state.lent)
    spent = state.spent
    if limit.rate is not None:
        there = int(limit.burst - spent + _NEARLY)
        leases = _given(leases, there)
        spent += sum(x.given for x in leases)
    else:
        leases = [x._replace(tokens=0) for x in leases]
    leases = _pressed(leases, bound)
    anew = limit != before.limit
    told = (_told(x, before.lease(x.run), offset, anew=anew) for x in leases)
    return state._replace(leases=tuple(told), spent=spent, offset=offset)


def _lent(leases: list[Lease], free: int) -> list[Lease]:
    """Whoever has least gets more, until nothing is free or nobody wants more."""
    while free > 0:
        hungry = [n for n, lease in enumerate(leases) if lease.wanted > lease.permits]
        if not hungry:
            break
        lease = leases.pop(min(hungry, key=lambda n: leases[n].permits))
        part = free if len(hungry) == 1 else max(1, free // (2 * len(hungry)))
        more = min(lease.wanted - lease.permits, part)
        leases.append(lease._replace(permits=lease.permits + more))
        free -= more
    return leases


def _given(leases: list[Lease], there: int) -> list[Lease]:
    """Tokens go round: to those that could begin something with them."""
    while there > 0:
        hungry = [n for n, lease in enumerate(leases) if lease.tokens and lease.permits]
        if not hungry:
            break
        lease = leases.pop(min(hungry, key=lambda n: leases[n].given))
        more = min(lease.tokens, max(1, there // len(hungry)))
        leases.append(lease._replace(tokens=lease.tokens - more, given=lease.given + more))
        there -= more
    return leases


def _pressed(leases: list[Lease], bound: int) -> list[Lease]:
    """Who is to give back, since somebody has less than a fair share, or all have too much."""
    count = max(1, len(leases))
    hungry = sum(lease.wanted > lease.permits for lease in leases)
    fair = bound // count if bound >= count else 1
    least = NO_BOUND
    if sum(lease.permits for lease in leases) > bound:
        least = 0
    elif any(lease.permits < min(lease.wanted, fair) for lease in leases):
        least = fair if max(lease.permits for lease in leases) > fair else 0
    pressed: list[Lease] = []
    for lease in leases:
        others = hungry - (lease.wanted > lease.permits)
        pressure = 2 if lease.permits > least else int(others > 0 and lease.permits > 0)
        pressed.append(lease._replace(pressure=pressure))
    return pressed


def _told(lease: Lease, before: Lease | None, offset: int, *, anew: bool) -> Lease:
    """Marked with the offset where its owner is to hear of it."""
    if before is not None and not anew and not lease.given:
        same = (lease.number, lease.permits, lease.pressure)
        if same == (before.number, before.permits, before.pressure):
            return lease._replace(serial=before.serial)
    return lease._replace(serial=offset)


def as_row(state: Limiter) -> bytes:
    """A limiter as a row of the table."""
    return kept(list(state))


_STATE = TypeAdapter(Limiter)


def of_row(row: bytes) -> Limiter:
    """The limiter of a row. Raises ValueError."""
    return _STATE.validate_python(orjson.loads(row))
