"""The scheduler of a pod: slots, lanes, and the backlog that stays in the log."""

from collections import Counter

import pytest

from sagalog.engine.effects import Call
from sagalog.engine.pending import Run
from sagalog.engine.scheduler import Arrival, Scheduler
from sagalog.schemas import Record
from sagalog.schemas.topics import LANES


def call(lane: str = "normal", partition: int = 0, number: int = 0) -> Call:
    return Call(partition, f"i{number}", "run", lane, Run(0, 1, 0))


def arrival(lane: str = "normal", partition: int = 0, offset: int = 0) -> Arrival:
    return Arrival(lane, Record(f"orders.{lane}", partition, offset, 0, b"i", b"{}"))


def drain(scheduler: Scheduler) -> list[Call | Arrival]:
    things: list[Call | Arrival] = []
    while (thing := scheduler.next()) is not None:
        things.append(thing)
    return things


def test_no_more_calls_run_than_there_are_slots() -> None:
    scheduler = Scheduler(3)
    for number in range(5):
        scheduler.offer(call(number=number))
    assert len(drain(scheduler)) == 3
    scheduler.freed()
    assert len(drain(scheduler)) == 1


def test_within_a_lane_what_is_under_way_goes_before_what_is_new() -> None:
    scheduler = Scheduler(9)
    scheduler.arrived(arrival())
    scheduler.offer(call())
    assert drain(scheduler) == [call(), arrival()]


def test_calls_and_requests_keep_their_order() -> None:
    scheduler = Scheduler(99)
    for number in range(5):
        scheduler.offer(call(number=number))
        scheduler.arrived(arrival(offset=number))
    things = drain(scheduler)
    assert things == [call(number=n) for n in range(5)] + [arrival(offset=n) for n in range(5)]


@pytest.mark.parametrize("full", ["running", "ready", "starting"])
def test_while_the_slots_are_full_requests_stay_where_they_are(full: str) -> None:
    scheduler = Scheduler(2)
    if full == "starting":
        scheduler.starting = 2
    else:
        for number in range(2):
            scheduler.offer(call(number=number))
        if full == "running":
            drain(scheduler)
    scheduler.arrived(arrival())
    assert arrival() not in drain(scheduler)
    assert scheduler.backlog("normal") == 1


def test_a_slot_that_is_freed_lets_a_request_in() -> None:
    scheduler = Scheduler(1)
    scheduler.offer(call())
    scheduler.arrived(arrival())
    assert drain(scheduler) == [call()]
    scheduler.freed()
    assert drain(scheduler) == [arrival()]


def test_full_lanes_share_the_slots_by_their_weights() -> None:
    scheduler = Scheduler(1)
    for lane in LANES:
        for number in range(2000):
            scheduler.offer(call(lane, number=number))
    counts: Counter[str] = Counter()
    for _ in range(370):
        thing = scheduler.next()
        assert thing is not None
        counts[thing.lane] += 1
        scheduler.freed()
    assert counts == {"high": 160, "compensations": 160, "normal": 40, "low": 10}


def test_nothing_of_a_partition_that_has_gone_is_started() -> None:
    scheduler = Scheduler(9)
    for partition in (0, 1):
        scheduler.offer(call(partition=partition))
        scheduler.arrived(arrival(partition=partition))
    scheduler.drop(0)
    assert drain(scheduler) == [call(partition=1), arrival(partition=1)]
    assert scheduler.backlog("normal") == 0


def test_an_idle_scheduler_has_nothing_to_do() -> None:
    assert Scheduler(9).next() is None


def test_lanes_that_have_waited_alike_share_as_ever() -> None:
    def low_of(now: int) -> int:
        scheduler = Scheduler(10_000)
        for offset in range(1000):
            scheduler.arrived(arrival("high", offset=offset))
            scheduler.arrived(arrival("low", offset=offset))
        served = Counter(
            thing.lane for _ in range(400) if isinstance(thing := scheduler.next(now), Arrival)
        )
        return served["low"]

    assert low_of(0) == low_of(600_000) == pytest.approx(400 / 17, abs=1)


def test_only_the_lane_that_waits_ages() -> None:
    scheduler = Scheduler(10_000)
    for offset in range(1000):
        fresh = Record("orders.high", 0, offset, 600_000, b"i", b"{}")
        scheduler.arrived(Arrival("high", fresh))
        scheduler.arrived(arrival("low", offset=offset))
    served = Counter(
        thing.lane for _ in range(400) if isinstance(thing := scheduler.next(600_000), Arrival)
    )
    assert served["low"] == pytest.approx(400 * 4 / 20, abs=1)


def test_full_slots_are_shared_by_weight_although_each_request_brings_a_call() -> None:
    """A call that is ready alone is no reason to forget what the other lanes are owed."""
    scheduler, begun = Scheduler(8), Counter[str]()
    for offset in range(4000):
        for lane in ("high", "low"):
            scheduler.arrived(arrival(lane, offset=offset))
    running = 0
    while begun.total() < 1700:
        thing = scheduler.next()
        if isinstance(thing, Arrival):
            scheduler.offer(call(thing.lane))
        elif thing is not None:
            begun[thing.lane] += 1
            running += 1
        else:
            running -= 1
            scheduler.freed()
    assert begun["low"] == pytest.approx(100, abs=3)
