"""An audited storm in which people pause and resume, and breakers open: with draws of its own."""

from random import Random

from sagalog.engine import Breaker
from sagalog.engine.results import Result
from sagalog.schemas import codec
from sagalog.schemas.pauses import PAUSES, Paused, PauseFact, Resumed
from sagalog.schemas.record import Entry
from tests.engine.script import AWAY
from tests.properties.audited import AuditedStorm

HELD = ("charge", "reserve", "refund", "release", "ship")
BREAKER = Breaker(failures=1, within=30, probe_after=2, longest=8)


class PausedStorm(AuditedStorm):
    """Random moves, among them those of people who pause and resume."""

    def __init__(self, seed: int, *, retention: int | None = None) -> None:
        super().__init__(seed, retention=retention)
        for name in ("charge", "refund"):
            self.world.apps["orders"].operations[name].breaker = BREAKER
        self.people = Random(f"people {seed}")
        self.told = 0
        self.outage = False

    def move(self) -> None:
        """One move, and perhaps one of a person, or of a service that goes away, before it."""
        if self.people.random() < 0.04:
            self.hold()
        if self.people.random() < (0.03 if self.outage else 0.02):
            self.outage = not self.outage
        super().move()

    def outcome(self) -> Result:
        """How a call ends; in an outage most find what they need away."""
        if self.outage and self.people.random() < 0.8:
            return AWAY
        return super().outcome()

    def hold(self) -> None:
        """A person pauses an operation, or lets it go on, in one partition or in all."""
        self.told += 1
        name, verb = self.people.choice(HELD), self.people.choice((Paused, Resumed))
        fact: PauseFact = verb(f"p{self.told}", name)
        numbers = range(self.world.partitions)
        for number in numbers if self.people.random() < 0.7 else [self.people.choice(numbers)]:
            self.tell(fact, number)

    def tell(self, fact: PauseFact, number: int) -> None:
        """A person's fact lands."""
        _, value = codec.encode_fact(fact, source="ann", subject=PAUSES, now=self.world.now)
        self.world.append("orders.events", number, Entry(PAUSES.encode(), value))

    def calm(self) -> None:
        """People let everything go on, and then all is as behind every other storm."""
        self.outage = False
        for name in HELD:
            for number in range(self.world.partitions):
                self.tell(Resumed("calm", name), number)
        super().calm()
