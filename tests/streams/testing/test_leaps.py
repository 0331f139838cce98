"""Made-up time leaps over rounds, and over nothing else."""

import asyncio
from collections.abc import Iterator

import pytest

from sagalog.streams.surroundings import ROUND
from sagalog.streams.testing.leaps import CALM, CALMER, STILL, LeapingLoop, unearth
from sagalog.streams.testing.loop import Stalled


@pytest.fixture
def loop() -> Iterator[LeapingLoop]:
    made = LeapingLoop(lambda: "")
    yield made
    made.close()
    unearth()


def go_round(loop: LeapingLoop, seen: list[float], every: float) -> None:
    async def rounds() -> None:
        while True:
            await asyncio.sleep(every)
            seen.append(loop.time())

    loop.create_task(rounds(), name=ROUND)


def test_rounds_go_on_for_a_while_and_are_then_leapt_over(loop: LeapingLoop) -> None:
    seen = list[float]()
    go_round(loop, seen, 1.0)
    loop.run_until_complete(asyncio.sleep(1000))
    assert seen[:3] == [1, 2, 3]
    assert CALM < len(seen) < 2 * CALM
    assert seen[-1] == 1000, "late, and once"
    assert loop.time() == 1000


def test_slow_rounds_are_leapt_over_later(loop: LeapingLoop) -> None:
    seen = list[float]()
    go_round(loop, seen, 10.0)
    loop.run_until_complete(asyncio.sleep(1000))
    assert seen == [10, 20, 30, 1000]
    assert 20 < CALMER < 30


def test_what_stirs_has_its_rounds_again(loop: LeapingLoop) -> None:
    seen = list[float]()
    go_round(loop, seen, 1.0)
    loop.call_later(500, loop.stir)
    loop.run_until_complete(asyncio.sleep(1000))
    assert {500, 501, 502} <= {round(at) for at in seen}


def test_other_timers_are_never_late(loop: LeapingLoop) -> None:
    seen = list[float]()
    go_round(loop, [], 1.0)
    for at in (7.25, 400, 400.5):
        loop.call_later(at, lambda: seen.append(loop.time()))
    loop.call_later(300, seen.append, 0).cancel()
    loop.run_until_complete(asyncio.sleep(1000))
    assert seen == [7.25, 400, 400.5]


def test_where_only_rounds_are_left_nothing_can_happen(loop: LeapingLoop) -> None:
    go_round(loop, [], 1.0)
    with pytest.raises(Stalled):
        loop.run_until_complete(asyncio.Event().wait())
    assert STILL < loop.time() < STILL + 5


def test_a_rest_does_all_that_is_due_and_moves_no_clock(loop: LeapingLoop) -> None:
    seen = list[str]()

    async def chain() -> None:
        await asyncio.sleep(0)
        loop.call_later(0, seen.append, "now")
        await asyncio.sleep(0.1)
        seen.append("later")

    loop.create_task(chain())
    loop.rest()
    assert (seen, loop.time()) == (["now"], 0)


def test_what_never_rests_is_told(loop: LeapingLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def spin() -> None:
        while True:  # noqa: ASYNC110 (that is what never rests)
            await asyncio.sleep(0)

    monkeypatch.setattr("sagalog.streams.testing.leaps.MOST_TURNS", 100)
    loop.create_task(spin())
    with pytest.raises(Stalled, match="100 turns went by, and the clock stood still"):
        loop.rest()


def test_what_was_killed_reaches_its_finally_when_it_is_unearthed() -> None:
    loop, seen = LeapingLoop(lambda: ""), list[str]()

    async def work() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            seen.append("finally")

    process = loop.process("a")
    process.task(work())
    loop.rest()
    process.kill()
    loop.close()
    assert seen == []
    unearth()
    assert seen == ["finally"]


def test_what_lives_ends_in_order_at_the_close_whatever_the_trouble() -> None:
    loop, seen = LeapingLoop(lambda: ""), list[str]()

    async def work() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            loop.trouble.append(ValueError("more of it"))
            await asyncio.sleep(0)
            seen.append("finally")

    task = loop.create_task(work())
    task.add_done_callback(lambda _: seen.append("done"))
    loop.rest()
    loop.trouble.append(ValueError("trouble"))
    loop.close()
    assert seen == ["finally", "done"]
