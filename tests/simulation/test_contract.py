"""The simulated log keeps the contract of the port, as the real logs do (tests/contracts)."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextvars import copy_context
from itertools import count
from typing import Any, cast

import pytest

from sagalog.schemas.record import Entry, Record
from sagalog.streams.log import Place
from sagalog.streams.surroundings import wall_clock
from sagalog.streams.testing.loop import Process, VirtualLoop
from tests.contracts.log_contract import LogContract
from tests.simulation.broker import Broker
from tests.simulation.chance import Chance, Replayed, Seeded
from tests.simulation.group import Group
from tests.simulation.journeys import Line, Network
from tests.simulation.log import SimulatedLog

LARGEST = 1_048_588


class Nobody:
    """A witness who looks away."""

    def landed(self, record: Record) -> None: ...
    def written(self, place: Place, rows: Sequence[Entry]) -> None: ...
    def committed(self, offsets: Mapping[Place, int]) -> None: ...
    def trimmed(self, place: Place, offset: int) -> None: ...


class Groups(defaultdict[str, Group]):
    """A group for every name that is asked for."""

    def __init__(self, chance: Chance) -> None:
        super().__init__()
        self._chance = chance

    def __missing__(self, name: str) -> Group:
        later, chance = asyncio.get_running_loop().call_later, self._chance.of(name)
        group = self[name] = Group(later, chance, 2, 6.0, lambda _: None, lambda _: None)
        return group


def made(chance: Chance) -> SimulatedLog:
    """A log over the loop that runs, whose ways are as slow as chance has it."""
    loop = cast("VirtualLoop", asyncio.get_running_loop())
    network = Network()
    network.roughen(chance.of("network"))
    process = Process(loop, "alone")
    line = Line(
        loop, network, chance.of("ways"), process, copy_context(), lambda _: False, lambda _: None
    )
    return SimulatedLog(Broker(wall_clock, Nobody()), line, Groups(chance), lambda _: LARGEST)


class TestSimulatedLog(LogContract):
    """With no delay at all."""

    @pytest.fixture
    async def log(self) -> Any:
        return made(Replayed({}))


_seeds = count(1)


class TestSimulatedLogOnSlowWays(LogContract):
    """With delays of all kinds, other ones for each test."""

    @pytest.fixture
    async def log(self) -> Any:
        log = made(Seeded(next(_seeds)))
        rough = log._line.network
        rough.calls = tuple(min(seconds, 0.02) for seconds in rough.calls)
        rough.fetches = {t: tuple(min(s, 0.02) for s in d) for t, d in rough.fetches.items()}
        return log
