"""The limiters of one partition: folded, told to those who borrow, and kept on time."""

from collections.abc import Mapping

from sagalog.engine.alarms import Alarms
from sagalog.engine.errors import Impossible
from sagalog.engine.limiter import Lease, Limiter, as_row, evolve, of_row
from sagalog.engine.writer import Writer
from sagalog.schemas.limits import (
    LimiterFact,
    LimitSpec,
    PermitsExpired,
    PermitsGranted,
    PermitsRefilled,
)
from sagalog.schemas.record import Entry

LIMITER_KEY = b"~limiter/"

AGAIN = 1_000
"""Milliseconds after which a fact that did not come back is written again."""


class Lending:
    """What the owner of a partition does for its limiters.

    It decides nothing: the fold divides. Leases count from when this owner, acting, read
    what renewed them, so they end later here than where they are used.
    """

    __slots__ = ("_acting", "_alarms", "_dirty", "_ends", "_writer", "limiters")

    def __init__(self, writer: Writer) -> None:
        self.limiters: dict[str, Limiter] = {}
        self._writer = writer
        self._acting = False
        self._alarms = Alarms()
        self._ends: dict[str, dict[str, int]] = {}
        self._dirty: dict[str, None] = {}

    # -- the fold

    def fold(self, name: str, fact: LimiterFact, offset: int, stamp: int) -> None:
        """Fold one fact of a limiter, and tell those for whom it changed something."""
        before = self.limiters.get(name)
        after = evolve(before, fact, offset, stamp)
        if after is before:
            return
        self._dirty[name] = None
        if after is None:
            del self.limiters[name]
            self._ends.pop(name, None)
            self._alarms.set(name, None)
            return
        self.limiters[name] = after
        if self._acting:
            self._tell(name, after)
            self._count(name, after, before)

    def act(self) -> None:
        """This owner acts from now on: every lease counts from here, in full (rule 12)."""
        self._acting = True
        for name, state in self.limiters.items():
            self._count(name, state, None)

    def _tell(self, name: str, state: Limiter) -> None:
        for lease in state.leases:
            if lease.serial == state.offset:
                fact = PermitsGranted(
                    lease.run,
                    lease.number,
                    lease.serial,
                    lease.permits,
                    tokens=lease.given,
                    metered=state.limit.rate is not None,
                    pressure=lease.pressure,
                    lease=state.limit.lease,
                )
                self._writer.beside(name, fact, lease.partition)

    # -- time

    def _count(self, name: str, state: Limiter, before: Limiter | None) -> None:
        now, ends = self._writer.now, self._ends.get(name, {})
        self._ends[name] = {
            lease.run: ends[lease.run]
            if _same(lease, before) and lease.run in ends
            else now + state.limit.lease
            for lease in state.leases
        }
        refill = state.refill_in()
        self._alarm(name, None if refill is None else now + refill)

    def _alarm(self, name: str, refill: int | None) -> None:
        times = [*self._ends[name].values(), *(() if refill is None else (refill,))]
        self._alarms.set(name, min(times, default=None))

    def next_due(self) -> int | None:
        """When time next brings something (ms)."""
        return self._alarms.next_due()

    def tick(self) -> None:
        """Say what time has brought: leases that are over, tokens that are there."""
        now, run = self._writer.now, self._writer.source
        for name in self._alarms.due(now):
            state, ends = self.limiters[name], self._ends[name]
            for lease in state.leases:
                if ends[lease.run] <= now:
                    self._writer.beside(name, PermitsExpired(lease.run, lease.number), None)
                    ends[lease.run] = now + AGAIN
            if state.refill_in() is not None:
                self._writer.beside(name, PermitsRefilled(run, state.offset), None)
                self._alarm(name, now + AGAIN)
            else:
                self._alarm(name, None)

    # -- the table

    def changes(self) -> list[Entry]:
        """The rows to write for what changed since the last call."""
        rows: list[Entry] = []
        for name in self._dirty:
            state = self.limiters.get(name)
            rows.append(Entry(LIMITER_KEY + name.encode(), as_row(state) if state else None))
        self._dirty.clear()
        return rows

    def restore(self, rows: Mapping[bytes, bytes]) -> None:
        """Fill with the rows of a checkpoint. Raises Impossible for one that is none."""
        for key, row in rows.items():
            if key.startswith(LIMITER_KEY):
                try:
                    self.limiters[key.removeprefix(LIMITER_KEY).decode()] = of_row(row)
                except ValueError as error:
                    said = f"the table holds a limiter that cannot be read ({error})"
                    raise Impossible(f"{said}: it was written by a later version.") from error

    def set_for(self, name: str) -> LimitSpec | None:
        """What is set on a limiter or a board here, if anything is."""
        state = self.limiters.get(name)
        return state.override if state else None


def _same(lease: Lease, before: Limiter | None) -> bool:
    was = before.lease(lease.run) if before else None
    return was is not None and was.number == lease.number
