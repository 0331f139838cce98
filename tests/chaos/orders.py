"""What the caller starts: each order follows from the seed and its number."""

import random
from typing import Literal, NamedTuple

from sagalog.schemas.definition import PRIORITIES, Priority
from tests.recovery.app import HELPLESS

Again = Literal["", "same", "other"]
"""A second start under the same key: with the same payload, or with another one."""

SAGAS = (("order", 60), ("spread", 15), ("abroad", 20), ("reserve", 5))
"""What is started, and how often of 100; the last is an operation alone."""

KINDS = (("fine", 66), ("fails", 20), ("flaky", 5), ("slow", 2), ("late", 2), ("careless", 5))
"""What goes wrong, see `tests.recovery.app`, and how often of 100."""

COMPLETES = frozenset({"fine", "flaky", "slow"})


class Order(NamedTuple):
    """One start. `cancel` is after how many seconds it is cancelled, or None."""

    number: int
    saga: str
    kind: str
    priority: Priority
    key: str | None
    again: Again
    cancel: float | None

    @property
    def input(self) -> dict[str, object]:
        """Its payload."""
        return {"number": self.number, "kind": self.kind}

    @property
    def end(self) -> str:
        """The status that it must end with; empty where a cancel may win or lose."""
        if self.cancel is not None:
            return ""
        return "completed" if self.kind in COMPLETES else "compensated"


def order(seed: int, number: int) -> Order:
    """The order of this number."""
    chance = random.Random(f"{seed}/{number}")
    saga = _drawn(chance, SAGAS)
    again: Again = chance.choices(("", "same", "other"), (92, 5, 3))[0]
    return Order(
        number,
        saga,
        _kind(chance, saga),
        chance.choice(PRIORITIES),
        f"{saga}-{number}" if again or chance.random() < 0.5 else None,
        again,
        chance.uniform(0.0, 1.0) if chance.random() < 0.04 else None,
    )


def _kind(chance: random.Random, saga: str) -> str:
    """What goes wrong: some things can in some sagas only."""
    if saga == "reserve":
        return "fine"
    if chance.random() < 0.02:
        return {"order": HELPLESS, "abroad": "returned"}.get(saga, "fails")
    return _drawn(chance, KINDS)


def _drawn(chance: random.Random, choices: tuple[tuple[str, int], ...]) -> str:
    names, weights = zip(*choices, strict=True)
    return str(chance.choices(names, weights)[0])
