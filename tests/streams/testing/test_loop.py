"""The loop with made-up time: order, time, processes."""

import asyncio
from collections.abc import Iterator
from contextvars import Context

import pytest

from sagalog.streams.testing.loop import Stalled, VirtualLoop, current_process


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop()
    yield made
    made.close()
    assert made.errors == []


def test_a_month_takes_no_time(loop: VirtualLoop) -> None:
    loop.run_until_complete(asyncio.sleep(30 * 86400))
    assert loop.time() == 30 * 86400
    assert loop.turns < 10


def test_what_is_ready_runs_first_in_first_out(loop: VirtualLoop) -> None:
    seen: list[int] = []

    async def note(number: int, wait: float) -> None:
        await asyncio.sleep(wait)
        seen.append(number)

    async def main() -> None:
        await asyncio.gather(note(1, 0.2), note(2, 0), note(3, 0.1), note(4, 0.2), note(5, 0))

    loop.run_until_complete(main())
    assert seen == [2, 5, 3, 1, 4]


def test_timeouts_and_cancelled_timers_keep_to_its_time(loop: VirtualLoop) -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.Event().wait()
        async with asyncio.timeout(100):
            await asyncio.sleep(1)
        return loop.time()

    assert loop.run_until_complete(main()) == 6


def test_a_wait_that_nothing_can_end_is_an_error(loop: VirtualLoop) -> None:
    with pytest.raises(Stalled):
        loop.run_until_complete(asyncio.Event().wait())


def test_a_plain_function_runs_in_place(loop: VirtualLoop) -> None:
    async def main() -> str:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(divmod, 1, 0)
        return await asyncio.to_thread("abc".upper)

    assert loop.run_until_complete(main()) == "ABC"


def test_what_a_callback_raises_is_kept() -> None:
    loop = VirtualLoop()

    async def main() -> None:
        loop.call_soon(divmod, 1, 0)
        await asyncio.sleep(0)

    loop.run_until_complete(main())
    assert isinstance(loop.errors[0]["exception"], ZeroDivisionError)
    loop.close()


def test_a_killed_process_runs_nothing_more_not_even_a_finally(loop: VirtualLoop) -> None:
    process, seen = loop.process("a"), list[str]()

    async def child() -> None:
        assert current_process() is process
        try:
            await asyncio.sleep(1)
            seen.append("on")
            await asyncio.sleep(10)
        finally:
            seen.append("finally")

    async def parent() -> None:
        await asyncio.create_task(child())

    process.task(parent())
    loop.call_later(5, process.kill)
    loop.run_until_complete(asyncio.sleep(100))
    assert seen == ["on"]
    assert current_process() is None


def test_the_others_go_on_when_one_is_killed(loop: VirtualLoop) -> None:
    first, second = loop.process("a"), loop.process("b")
    shared = loop.create_future()
    seen: list[str] = []

    async def wait(name: str) -> None:
        seen.append(f"{name} {await shared}")

    first.task(wait("a"))
    second.task(wait("b"))
    loop.call_later(1, first.kill)
    loop.call_later(2, shared.set_result, "done")
    loop.run_until_complete(asyncio.sleep(3))
    assert seen == ["b done"]


def test_a_frozen_process_goes_on_where_it_stood_when_it_is_thawed(loop: VirtualLoop) -> None:
    process, seen = loop.process("a"), list[float]()

    async def beat() -> None:
        for _ in range(4):
            await asyncio.sleep(1)
            seen.append(loop.time())

    process.task(beat())
    loop.call_later(1.5, process.freeze)
    loop.call_later(10, process.thaw)
    loop.run_until_complete(asyncio.sleep(20))
    assert seen == [1, 10, 11, 12]


def test_a_killed_process_stays_dead_when_it_is_thawed(loop: VirtualLoop) -> None:
    process, seen = loop.process("a"), list[int]()
    process.run(loop.call_later, 1, seen.append, 1)
    process.freeze()
    loop.call_later(2, process.kill)
    loop.call_later(3, process.thaw)
    loop.run_until_complete(asyncio.sleep(4))
    assert seen == []


def test_an_empty_context_is_a_context(loop: VirtualLoop) -> None:
    process, seen = loop.process("a"), list[int]()
    process.run(lambda: loop.call_soon(seen.append, 1, context=Context()))
    process.run(lambda: loop.call_later(1, seen.append, 2, context=Context()))
    process.kill()
    loop.run_until_complete(asyncio.sleep(2))
    assert seen == [1, 2]


def test_time_may_pass_in_which_nothing_runs(loop: VirtualLoop) -> None:
    seen: list[float] = []
    loop.call_later(1, lambda: seen.append(loop.time()))
    loop.pass_time(10)
    assert loop.time() == 10
    assert seen == []
    loop.run_until_complete(asyncio.sleep(0))
    loop.run_until_complete(asyncio.sleep(0.1))
    assert seen == [10]


def test_a_process_that_is_killed_while_frozen_runs_nothing_more(loop: VirtualLoop) -> None:
    process, seen, shared = loop.process("a"), list[str](), loop.create_future()

    async def wait() -> None:
        try:
            await shared
        finally:
            seen.append("finally")

    process.task(wait())
    loop.run_until_complete(asyncio.sleep(1))
    process.freeze()
    shared.set_result(None)
    loop.run_until_complete(asyncio.sleep(1))
    process.kill()
    assert seen == []
