"""The executor under many calls: none is lost, none told twice, none meets what another left."""

import asyncio
import random
import threading
from collections import Counter
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import pytest

from sagalog.engine import App
from sagalog.engine.results import Returned
from sagalog.schemas.facts import Failure
from tests.streams.test_executor import Desk, app, desk

__all__ = ["app", "desk"]

who: ContextVar[str] = ContextVar("who", default="nobody")


async def test_no_call_of_a_burst_is_lost_or_told_twice(app: App, desk: Desk) -> None:
    chance = random.Random(3)
    errors = (ValueError("planted"), asyncio.CancelledError(), SystemExit(1))

    @app.operation
    async def mixed(n: int) -> int:
        for _ in range(n % 4):
            await asyncio.sleep(0)
        if n % 10 == 0:
            raise chance.choice(errors)
        if n % 100 == 1:
            await asyncio.Event().wait()
        return n

    async with asyncio.timeout(60):
        calls = [desk.submit("mixed", n, timeout=200) for n in range(10_000)]
        results = await asyncio.gather(*calls)
    cut = [isinstance(r, Failure) and r.kind == "timeout" for r in results]
    counted = Counter(map(type, results))
    assert (sum(cut), counted) == (100, {Failure: 1100, Returned: 8900})
    assert [r.value for r in results if isinstance(r, Returned)] == [
        n for n in range(10_000) if n % 10 and n % 100 != 1
    ]
    assert len(desk.told) == 10_000


async def test_calls_run_at_the_same_time(app: App, desk: Desk) -> None:
    all_here = asyncio.Barrier(100)

    @app.operation
    async def meet(n: int) -> int:
        await all_here.wait()
        return n

    results = await asyncio.gather(*(desk.call("meet", n) for n in range(100)))
    assert results == [Returned(n) for n in range(100)]


async def test_plain_functions_run_on_no_more_threads_than_allowed(app: App) -> None:
    desk, running, most, lock = Desk(app, threads=3), 0, 0, threading.Lock()
    three = threading.Barrier(3)

    @app.operation
    def count(_: None) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        three.wait(10)
        with lock:
            running -= 1

    try:
        await asyncio.gather(*(desk.call("count") for _ in range(30)))
    finally:
        await desk.executor.close()
    assert most == 3


@pytest.mark.parametrize("kind", ["async", "plain"])
async def test_context_variables_do_not_leak_from_call_to_call(
    app: App, desk: Desk, kind: str
) -> None:
    @app.operation(name="async")
    async def sign(name: str) -> str:
        before = who.get()
        await asyncio.sleep(0)
        who.set(name)
        return before

    @app.operation(name="plain")
    def sign_too(name: str) -> str:
        before = who.get()
        who.set(name)
        return before

    one_by_one = [await desk.call(kind, f"n{n}") for n in range(20)]
    at_once = await asyncio.gather(*(desk.submit(kind, f"m{n}") for n in range(200)))
    assert {repr(result) for result in (*one_by_one, *at_once)} == {repr(Returned("nobody"))}


async def test_context_variables_do_not_leak_into_what_follows_a_call(app: App) -> None:
    """The end of one call may start the next, as it does where calls wait for a slot."""
    seen: list[str] = []
    enough = asyncio.Event()

    class Chain(Desk):
        def _finished(self, call: Any, result: Any) -> None:
            super()._finished(call, result)
            if len(self.told) < 10:
                asyncio.get_running_loop().call_soon(self.submit, "sign")
            else:
                enough.set()

    @app.operation
    async def sign(_: None) -> None:
        seen.append(who.get())
        who.set("somebody")

    desk = Chain(app)
    try:
        await desk.call("sign")
        await asyncio.wait_for(enough.wait(), 10)
    finally:
        await desk.executor.close()
    assert set(seen) == {"nobody"}


class Slow:
    """Three handlers that begin and do not end by themselves."""

    def __init__(self, app: App) -> None:
        self.began, self.ended, self.let_go = (
            asyncio.Semaphore(0),
            asyncio.Event(),
            threading.Event(),
        )
        self._loop = asyncio.get_running_loop()
        app.operation(name="slow")(self.slow)
        app.operation(name="stubborn")(self.stubborn)
        app.operation(name="blocked")(self.blocked)

    async def slow(self, _: None) -> None:
        self.began.release()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()

    async def stubborn(self, _: None) -> str:
        self.began.release()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        return "a result that nobody wants"

    def blocked(self, _: None) -> None:
        self._loop.call_soon_threadsafe(self.began.release)
        self.let_go.wait(10)


async def test_a_lost_partition_is_told_of_nothing(app: App, desk: Desk) -> None:
    handlers, names = Slow(app), ("slow", "stubborn", "blocked")
    lost = [desk.submit(name, partition=1) for name in names]
    kept = [desk.submit(name, partition=2) for name in names]
    async with asyncio.timeout(10):
        for _ in range(6):
            await handlers.began.acquire()
    queued = desk.submit("slow", partition=1)
    assert desk.executor.stop(1) == 4
    assert desk.executor.stop(1) == 0
    handlers.let_go.set()
    async with asyncio.timeout(10):
        assert await kept[2] == Returned(None)
        await handlers.ended.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    assert not any(future.done() for future in (*lost, queued, kept[0], kept[1]))
    assert [call.partition for call, _ in desk.told] == [2]


async def test_calls_go_on_after_a_partition_was_lost(app: App, desk: Desk) -> None:
    """A handler that outlived the loss of its partition leaves no cancellation behind."""
    began = asyncio.Event()

    @app.operation
    async def stubborn(_: None) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)

    @app.operation
    async def grouped(_: None) -> str:
        with pytest.raises(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                group.create_task(fail())
        return "whole"

    async def fail() -> None:
        raise ValueError("planted")

    desk.submit("stubborn", partition=1)
    await asyncio.wait_for(began.wait(), 10)
    desk.executor.stop(1)
    for _ in range(5):
        await asyncio.sleep(0)
    assert await desk.call("grouped") == Returned("whole")


async def test_closing_waits_for_no_handler_that_does_not_end(app: App) -> None:
    desk, let_go, began = Desk(app), asyncio.Event(), asyncio.Event()

    @app.operation
    async def deaf(_: None) -> None:
        began.set()
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue

    desk.submit("deaf")
    await asyncio.wait_for(began.wait(), 10)
    closing = asyncio.create_task(desk.executor.close())
    try:
        done, _ = await asyncio.wait([closing], timeout=3)
        assert done
    finally:
        let_go.set()
        await asyncio.wait_for(closing, 10)
