"""The group that shares an app's partitions: generations, static members, session timeouts.

Who gets what is decided by the real `assign`. As on Kafka a partition that moves is given up by
its owner before another gets it; a member that is silent for a session is expelled, and hears of
it late; one that comes back under its name has its partitions at once, and its namesake is out.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Protocol

from sagalog.streams.kafka.assignment import Claim, Partitions, assign
from tests.simulation.chance import Stream

NOTHING: Partitions = frozenset()
BEATS = (0.0, 0.1, 0.5, 1.0, 3.0)
"""Seconds until a member hears of what changed: with its next heartbeat."""


Later = Callable[..., Any]
"""Calls something in so many seconds, at the coordinator."""


class Member(Protocol):
    """One process as a member, seen from the coordinator. It hears when it can."""

    @property
    def responsive(self) -> bool:
        """Whether it answers now."""
        ...

    @property
    def claimed(self) -> Partitions:
        """What it has by right."""
        ...

    def receive(self, share: Partitions) -> None:
        """Its share from now on."""
        ...

    def lose(self) -> None:
        """The group went on without it."""
        ...


@dataclass(slots=True)
class Seat:
    """A name in the group, and who holds it."""

    member: Member
    share: Partitions = field(default_factory=frozenset[int])


class Group:
    """The coordinator. `session` is how long a member may be silent, in seconds."""

    def __init__(
        self,
        later: Later,
        chance: Stream,
        partitions: int,
        session: float,
        tell: Callable[[str], None],
        saw: Callable[[str], None],
    ) -> None:
        self.session = session
        self.generation = 0
        self._later, self._chance, self._partitions = later, chance, partitions
        self._tell, self._saw = tell, saw
        self._seats: dict[str, Seat] = {}
        self._due = self._scheduled = self._healthy = False

    @property
    def names(self) -> Collection[str]:
        """Who is in it."""
        return self._seats.keys()

    def join(self, name: str, member: Member) -> None:
        """Come in; under a known name, in its stead and with its partitions."""
        seat = self._seats.get(name)
        if seat is None:
            self._seats[name] = Seat(member)
            self.rebalance()
            return
        if seat.member is not member:
            self._tell(f"{name} is taken by a namesake")
            self._saw("back under its name" if not seat.member.responsive else "namesake fenced")
            self._later(self._beat(), seat.member.lose)
        seat.member = member
        self._later(self._beat(), self._give, seat, member, seat.share)
        self.settle()

    def leave(self, name: str, member: Member) -> None:
        """Go; what was had is free."""
        seat = self._seats.get(name)
        if seat is not None and seat.member is member:
            del self._seats[name]
            self.rebalance()

    def expel(self, name: str, member: Member) -> None:
        """The group goes on without it; it hears of that late."""
        seat = self._seats.get(name)
        if seat is not None and seat.member is member:
            self._tell(f"{name} is expelled from its group")
            self._saw("expelled")
            self.leave(name, member)
            self._later(self._beat(), member.lose)

    def silent(self, name: str, member: Member) -> None:
        """It does not answer: after a session it is expelled, unless it does again."""
        self._later(self.session, self._expire, name, member)

    def _expire(self, name: str, member: Member) -> None:
        if not member.responsive:
            self.expel(name, member)

    def rebalance(self) -> None:
        """Share anew, once all answer."""
        self._due = True
        if not self._scheduled:
            self._scheduled = True
            self._later(self._beat(), self._share)

    def settle(self) -> None:
        """Go on with what waited for somebody who answers now."""
        if self._due:
            self.rebalance()

    def _share(self) -> None:
        seats, self._scheduled = self._seats, False
        if not self._due:
            return
        if not all(seat.member.responsive for seat in seats.values()):
            self._saw("rebalance that waits for somebody silent")
            return
        self._due = False
        self.generation += 1
        claims = {n: Claim(seat.member.claimed, self.generation) for n, seat in seats.items()}
        plan = assign(range(self._partitions), claims)
        self._tell(f"generation {self.generation}: {_said(plan.shares)}")
        for name, share in plan.shares.items():
            seat = seats[name]
            seat.share = share
            self._later(self._beat(), self._give, seat, seat.member, share)
        if not plan.complete:
            self._later(self.session, self._unfinished, self.generation)

    def _unfinished(self, generation: int) -> None:
        """Who was to give partitions up has died and come back: begin anew."""
        if self.generation == generation:
            self.rebalance()

    def _give(self, seat: Seat, member: Member, share: Partitions) -> None:
        """Only the newest share is heard of."""
        if seat.member is member and seat.share is share:
            member.receive(share)

    def _beat(self) -> float:
        return 0.1 if self._healthy else self._chance.pick(BEATS)

    def heal(self) -> None:
        """Heartbeats are quick from here on."""
        self._healthy = True

    def gone(self, name: str, member: Member) -> bool:
        """Whether the member has no seat any more."""
        seat = self._seats.get(name)
        return seat is None or seat.member is not member

    def taken(self, name: str, member: Member) -> bool:
        """Whether another holds this name."""
        seat = self._seats.get(name)
        return seat is not None and seat.member is not member


def _said(shares: dict[str, Partitions]) -> str:
    return ", ".join(f"{name} {sorted(share)}" for name, share in shares.items())
