"""What is done to whom and when: all of it follows from a seed."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Literal, NamedTuple

from tests.chaos.frames import Api
from tests.chaos.rules import How, Rates

What = Literal["kill", "freeze", "guest", "broker", "caller", "far", "strike", "poison"]
"""kill, freeze: of a pod. guest: a member joins and leaves. far: a pod of the other app is killed.
broker, caller: they are killed. strike: the proxy aims. poison: a bad record is written."""

EVERY: dict[What, float] = {
    "kill": 4.0,
    "freeze": 15.0,
    "guest": 5.0,
    "broker": 22.0,
    "caller": 20.0,
    "far": 9.0,
    "strike": 0.8,
    "poison": 0.6,
}
"""Seconds between two of a kind, on average (RELIABILITY, section 6.1)."""

NEVER_IN_SOAK = frozenset[What]({"caller"})
"""A process that is killed has no slope, and the client's is wanted."""

STRUCK = (
    Api.Produce,
    Api.Fetch,
    Api.OffsetCommit,
    Api.InitProducerId,
    Api.AddPartitionsToTxn,
    Api.EndTxn,
    Api.JoinGroup,
    Api.SyncGroup,
    Api.Heartbeat,
)
"""The requests that each must lose an answer at least."""

_USUAL: dict[How, float] = {"lost": 0.01, "cut": 0.004, "late": 0.003, "delay": 0.003}
RATES: Rates = {api.name: _USUAL for api in Api if api is not Api.ApiVersions}
"""Two of a hundred requests are struck, beside those that are aimed at."""

_SILENCES = 0.04
"""Of the aimed strikes; each stops something for as long as a request may take."""


class Deed(NamedTuple):
    """Something to be done `at` so many seconds; `aim` says what a strike strikes, and how."""

    at: float
    what: What
    aim: tuple[str, How] | None = None


def timetable(seed: int, seconds: float, *, pace: float = 1.0, soak: bool = False) -> list[Deed]:
    """All deeds in their order; a `pace` of 0.5 does half as many."""
    chance = random.Random(seed)
    aims = _aims(chance)
    deeds: list[Deed] = []
    for what, every in EVERY.items():
        if soak and what in NEVER_IN_SOAK:
            continue
        at = _next(chance, every / pace)
        while at < seconds:
            aim = next(aims) if what == "strike" else None
            deeds.append(Deed(at, what, aim))
            at += _next(chance, every / pace)
    return sorted(deeds)


def counts(deeds: list[Deed]) -> Counter[str]:
    """How many there are of each kind."""
    return Counter(deed.what for deed in deeds)


def _next(chance: random.Random, every: float) -> float:
    return chance.uniform(0.7, 1.3) * every


def _aims(chance: random.Random) -> Iterator[tuple[str, How]]:
    """Endlessly what to strike: each request in each way before any comes again."""
    while True:
        for how in ("lost", "late", "cut", "delay"):
            for api in chance.sample(STRUCK, len(STRUCK)):
                yield api.name, how
                if chance.random() < _SILENCES:
                    yield api.name, "silence"
