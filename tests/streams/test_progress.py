"""What handlers report: as seldom as is useful, from any thread, and nothing behind the end."""

import asyncio
import threading

from sagalog.streams.progress import Reporter
from sagalog.streams.testing.loop import VirtualLoop


def told_of(
    reports: list[tuple[float, float]], *, until: float = 60.0
) -> list[tuple[float, float]]:
    """When which fraction was told, of what was reported when."""
    loop, told = VirtualLoop(), list[tuple[float, float]]()

    async def call() -> None:
        began = loop.time()

        def said(number: int, fraction: float, message: str) -> None:
            assert number == len(told) + 1
            told.append((round(loop.time() - began, 3), fraction))

        reporter = Reporter(loop, said, 1.0)
        for at, fraction in reports:
            await asyncio.sleep(began + at - loop.time())
            reporter(fraction, "")
        await asyncio.sleep(began + until - loop.time())
        reporter.close()
        reporter(1.0, "behind the end")
        await asyncio.sleep(60)

    loop.run_until_complete(call())
    loop.close()
    return told


def test_the_first_is_told_at_once_and_then_the_newest_of_each_second() -> None:
    reports = [(0.0, 0.0), *((n / 10 + 0.05, n / 100) for n in range(31))]
    assert told_of(reports) == [(0, 0), (1, 0.09), (2, 0.19), (3, 0.29), (4, 0.3)]


def test_after_a_silence_it_is_told_at_once_again() -> None:
    assert told_of([(0, 0.1), (0.5, 0.2), (10, 0.3)]) == [(0, 0.1), (1, 0.2), (10, 0.3)]


def test_nothing_is_told_behind_the_end() -> None:
    assert told_of([(0, 0.1), (0.5, 0.2)], until=0.7) == [(0, 0.1)]


async def test_a_thread_may_report() -> None:
    told = asyncio.Queue[float]()
    loop = asyncio.get_running_loop()

    def said(number: int, fraction: float, message: str) -> None:
        told.put_nowait(fraction)

    reporter = Reporter(loop, said, 0.01)

    def report() -> None:
        for number in range(1000):
            reporter(number / 1000, "")

    thread = threading.Thread(target=report)
    thread.start()
    async with asyncio.timeout(10):
        while await told.get() < 0.999:
            pass
    thread.join()
    reporter.close()
