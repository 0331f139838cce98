"""Blows fall as fast as the machine bears, and each is noted with whom it struck."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sagalog.streams.audit import Blow
from tests.chaos.ledger import Ledger
from tests.chaos.lines import Book, read
from tests.chaos.pace import AT_ONCE, COMING, ENOUGH, Pace
from tests.chaos.plan import Plan
from tests.chaos.seats import Guests, Seat
from tests.recovery.crew import Crew, Worker
from tests.recovery.world import eventually


class Field:
    """Three pods that are there, of none of which anything runs."""

    def __init__(self, folder: Path, *, soak: bool = False) -> None:
        plan = Plan(folder, seed=1, seconds=90, soak=soak)
        self.crew, self.book = Crew("kafka://nowhere", "app", folder), Book(plan.deeds)
        self.near = [Seat(self.crew, self.book, f"pod-{n}") for n in range(3)]
        self.far = [Seat(self.crew, self.book, "far-0")]
        self.guests = Guests(self.crew, self.book)
        self.calls, self.deeds = Book(plan.calls), plan.deeds
        self.pace = Pace(plan, self.near, self.far, self.guests, Ledger(plan.calls))
        self._told = 0

    def told(self, count: int) -> None:
        for _ in range(count):
            self._told += 1
            self.calls.note("acknowledged", number=self._told)
            self.calls.note("told", number=self._told)


@pytest.fixture
def field(tmp_path: Path) -> Field:
    return Field(tmp_path)


class TestPace:
    def test_two_pods_are_killed_at_once_and_the_next_when_something_has_ended(
        self, field: Field
    ) -> None:
        for _ in range(AT_ONCE):
            assert field.pace.may("kill")
            field.pace.struck("kill")
        field.told(ENOUGH - 1)
        assert not field.pace.may("kill")
        field.told(1)
        assert field.pace.may("kill")

    def test_who_has_not_joined_is_killed_and_not_frozen(self, field: Field) -> None:
        assert field.pace.victims("kill") == field.near
        assert not field.pace.may("freeze")
        assert not field.pace.may("far")
        field.near[1].joined.set()
        field.far[0].joined.set()
        assert field.pace.victims("freeze") == [field.near[1]]
        assert field.pace.may("far")

    def test_who_is_struck_already_is_left_alone(self, field: Field) -> None:
        for seat in field.near:
            seat.joined.set()
            seat.busy = True
        assert not field.pace.may("kill")
        assert not field.pace.may("freeze")

    def test_a_soak_never_kills_its_first_pod(self, tmp_path: Path) -> None:
        field = Field(tmp_path, soak=True)
        assert field.pace.victims("kill") == field.near[1:]

    def test_the_broker_is_killed_again_when_something_has_ended_since_it_came_back(
        self, field: Field
    ) -> None:
        assert field.pace.may("broker")
        field.pace.struck("broker")
        field.told(ENOUGH)
        assert not field.pace.may("broker")
        field.pace.broker_back()
        assert not field.pace.may("broker")
        field.told(ENOUGH)
        assert field.pace.may("broker")

    def test_the_caller_is_killed_again_when_its_successor_has_started_something(
        self, field: Field
    ) -> None:
        assert field.pace.may("caller")
        field.pace.struck("caller")
        assert not field.pace.may("caller")
        field.told(ENOUGH)
        assert field.pace.may("caller")

    def test_no_more_guests_come_than_arrive(self, field: Field) -> None:
        assert field.pace.may("guest")
        field.guests.coming = COMING
        assert not field.pace.may("guest")

    def test_what_the_proxy_strikes_waits_for_nothing(self, field: Field) -> None:
        assert field.pace.may("strike")
        assert field.pace.may("poison")


@pytest.fixture
async def worker(field: Field) -> AsyncIterator[Worker]:
    process = await asyncio.create_subprocess_exec("sleep", "60")
    yield Worker(field.crew, "pod-0", process)
    if process.returncode is None:
        process.kill()
    await process.wait()


async def test_a_blow_is_noted_as_that_of_its_own_pod_although_another_was_struck_after_it(
    field: Field, worker: Worker
) -> None:
    seat = field.near[0]
    seat.worker = worker
    killing = asyncio.create_task(seat.kill(away=60.0))
    await asyncio.sleep(0)  # now it waits for its end
    field.crew.blows.append(Blow("freeze", 1, 2))

    async def noted() -> list[tuple[str, int]]:
        return [(line["blow"], line["pid"]) for line in read(field.deeds)]

    assert await eventually(noted) == [("kill", worker.pid)]
    killing.cancel()
    await asyncio.gather(killing, return_exceptions=True)
