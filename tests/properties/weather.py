"""What a storm is made of: every seed draws its own mix, so that rare meetings get a world."""

from dataclasses import dataclass
from random import Random

FAULTS = (
    "crash",
    "zombie",
    "cancel",
    "repeat",
    "failures",
    "release",
    "checkpoint",
    "stray",
    "poison",
)
SAGAS = ("order", "wide", "careful", "brief")
ABROAD = ("remote", "spread")


@dataclass
class Weather:
    """One mix.

    `asks`, `hurry` and `strikes` are shares of the moves: of clients, of time, of faults.
    `outcomes` weighs how calls end: returned, error, terminal, timeout, unavailable.
    `late` says that zombies wake up when all the rest has come to its end.
    """

    faults: list[str]
    kinds: list[str]
    partitions: int
    asks: float
    hurry: float
    strikes: float
    outcomes: list[int]
    late: bool

    @classmethod
    def drawn(cls, chance: Random, kinds: tuple[str, ...]) -> "Weather":
        """The weather of a world in which these kinds of instances may be asked for."""
        return cls(
            faults=chance.sample(FAULTS, chance.randint(2, len(FAULTS))),
            kinds=chance.sample(kinds, chance.randint(1, len(kinds))),
            partitions=chance.choice([1, 1, 2]),
            asks=chance.choice([0.02, 0.03, 0.06]),
            hurry=chance.choice([0.01, 0.015, 0.04]),
            strikes=chance.choice([0.015, 0.03, 0.06, 0.12]),
            outcomes=chance.choice([[10, 4, 1, 2, 1], [10, 2, 0, 0, 1], [6, 8, 1, 3, 2]]),
            late=chance.random() < 0.5,
        )
