"""The executor calls handlers: every call ends once, is told once, and leaves nothing behind."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

import pytest

from sagalog.engine import App, Context, Retry, Terminal, Unavailable
from sagalog.engine.effects import Call, Invocation
from sagalog.engine.pending import Run
from sagalog.engine.results import Result, Returned
from sagalog.schemas.facts import Failure
from sagalog.streams.executor import Executor
from tests.house.tree import ROOT

PATIENCE = 10
who: ContextVar[str] = ContextVar("who", default="nobody")


class Desk:
    """An executor, and who waits for which of its calls."""

    def __init__(self, app: App, *, threads: int = 4) -> None:
        self.executor = Executor(app.operations, self._finished, threads=threads)
        self.told: list[tuple[Call, Result]] = []
        self._waiting: dict[Call, asyncio.Future[Result]] = {}
        self._number = 0

    def submit(
        self, operation: str, input: Any = None, *, timeout: int = 0, partition: int = 0
    ) -> "asyncio.Future[Result]":
        self._number += 1
        call = Call(partition, f"i{self._number}", "run", "normal", Run(0, 1, 0))
        context = Context(call.instance, "saga", operation, 1, f"key-{self._number}")
        self._waiting[call] = asyncio.get_running_loop().create_future()
        self.executor.submit(Invocation(call, operation, input, context, timeout))
        return self._waiting[call]

    async def call(self, operation: str, input: Any = None, *, timeout: int = 0) -> Result:
        async with asyncio.timeout(PATIENCE):
            return await self.submit(operation, input, timeout=timeout)

    async def fail(self, operation: str, input: Any = None, *, timeout: int = 0) -> Failure:
        result = await self.call(operation, input, timeout=timeout)
        assert isinstance(result, Failure)
        return result

    def _finished(self, call: Call, result: Result) -> None:
        self.told.append((call, result))
        self._waiting.pop(call).set_result(result)


@pytest.fixture
def app() -> App:
    return App("orders")


@pytest.fixture
async def desk(app: App) -> AsyncIterator[Desk]:
    desk = Desk(app)
    yield desk
    await asyncio.wait_for(desk.executor.close(), PATIENCE)


async def test_a_coroutine_runs_on_the_loop_and_a_plain_function_in_a_thread(
    app: App, desk: Desk
) -> None:
    @app.operation
    async def here(n: int) -> tuple[int, str]:
        return n + 1, threading.current_thread().name

    @app.operation
    def there(n: int) -> tuple[int, str]:
        return n + 2, threading.current_thread().name

    me = threading.current_thread().name
    assert await desk.call("here", 1) == Returned([2, me])
    result = await desk.call("there", 1)
    assert isinstance(result, Returned)
    assert result.value[0] == 3
    assert result.value[1].startswith("sagalog-handler")


async def test_a_handler_gets_its_input_and_its_context(app: App, desk: Desk) -> None:
    @app.operation
    async def both(n: int, ctx: Context) -> list[Any]:
        return [n, ctx.instance, ctx.idempotency_key]

    @app.operation
    async def neither() -> str:
        return "called"

    assert await desk.call("both", "7") == Returned([7, "i1", "key-1"])
    assert await desk.call("neither", "ignored") == Returned("called")


@pytest.mark.parametrize("kind", ["async", "plain"])
async def test_a_timeout_cuts_a_handler(app: App, desk: Desk, kind: str) -> None:
    let_go = threading.Event()

    @app.operation(name="async")
    async def hang(_: None) -> None:
        await asyncio.Event().wait()

    @app.operation(name="plain")
    def block(_: None) -> None:
        let_go.wait(PATIENCE)

    try:
        error = await desk.fail(kind, timeout=30)
    finally:
        let_go.set()
    assert (error.kind, error.type) == ("timeout", "Timeout")
    assert "30 ms" in error.message


async def test_a_handler_that_ends_in_time_is_not_cut(app: App, desk: Desk) -> None:
    @app.operation
    async def quick(n: int) -> int:
        await asyncio.sleep(0)
        return n

    results = await asyncio.gather(*(desk.call("quick", n, timeout=5000) for n in range(50)))
    assert results == [Returned(n) for n in range(50)]


async def test_a_timeout_spares_the_next_call_of_the_same_worker(app: App, desk: Desk) -> None:
    @app.operation
    async def hang(_: None) -> None:
        await asyncio.Event().wait()

    @app.operation
    async def grouped(_: None) -> str:
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))
            await asyncio.sleep(0)
        return "whole"

    for _ in range(3):
        assert (await desk.fail("hang", timeout=10)).kind == "timeout"
        assert await desk.call("grouped", timeout=5000) == Returned("whole")


async def test_a_result_that_comes_after_the_cut_is_a_result(app: App, desk: Desk) -> None:
    @app.operation
    async def stubborn(_: None) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return "done all the same"

    @app.operation
    async def grouped(_: None) -> str:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))
        return "whole"

    assert await desk.call("stubborn", timeout=10) == Returned("done all the same")
    assert await desk.call("grouped") == Returned("whole")


async def test_a_cut_that_the_handler_turns_into_its_own_error_is_a_timeout(
    app: App, desk: Desk
) -> None:
    @app.operation
    async def wrapping(_: None) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            raise ValueError("interrupted") from error

    assert (await desk.fail("wrapping", timeout=10)).kind == "timeout"


async def test_waiting_for_a_thread_is_not_the_handlers_time(app: App) -> None:
    @app.operation
    def short(_: None) -> str:
        threading.Event().wait(0.1)
        return "done"

    desk = Desk(app, threads=1)
    try:
        calls = [desk.call("short", timeout=250) for _ in range(4)]
        assert await asyncio.gather(*calls) == [Returned("done")] * 4
    finally:
        await desk.executor.close()


async def test_a_cancellation_of_the_handlers_own_is_an_error(app: App, desk: Desk) -> None:
    @app.operation
    async def cancelled(_: None) -> None:
        raise asyncio.CancelledError

    @app.operation
    async def after(_: None) -> str:
        await asyncio.sleep(0)
        return "alive"

    error = await desk.fail("cancelled")
    assert (error.kind, error.type) == ("error", "CancelledError")
    assert await desk.call("after") == Returned("alive")


@pytest.mark.parametrize("kind", ["async", "plain"])
async def test_leaving_the_process_is_an_error_of_the_call(app: App, desk: Desk, kind: str) -> None:
    @app.operation(name="async")
    async def leave(_: None) -> None:
        sys.exit("enough")

    @app.operation(name="plain")
    def leave_too(_: None) -> None:
        sys.exit("enough")

    error = await desk.fail(kind)
    assert (error.type, error.message) == ("SystemExit", "enough")
    assert (await desk.fail(kind)).type == "SystemExit"


class Odd(BaseException):
    """Not an Exception, as some libraries' control flow is not."""


class Mute(Exception):
    """An exception that cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize("kind", ["async", "plain"])
@pytest.mark.parametrize(
    "error",
    [
        pytest.param(Odd("a"), id="not an Exception"),
        pytest.param(StopIteration("b"), id="StopIteration"),
        pytest.param(GeneratorExit("c"), id="GeneratorExit"),
        pytest.param(Mute(), id="no message"),
        pytest.param(ExceptionGroup("d", [ValueError("e")]), id="a group"),
        pytest.param(ValueError("\udcff"), id="no UTF-8"),
    ],
)
async def test_whatever_a_handler_raises_its_call_ends(
    app: App, desk: Desk, kind: str, error: BaseException
) -> None:
    @app.operation(name="async")
    async def raising(_: None) -> None:
        raise error

    @app.operation(name="plain")
    def raising_too(_: None) -> None:
        raise error

    @app.operation
    async def after(_: None) -> str:
        return "alive"

    assert (await asyncio.wait_for(desk.fail(kind), 2)).kind == "error"
    assert await desk.call("after") == Returned("alive")


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("x"), "error"),
        (Terminal("x"), "terminal"),
        (Unavailable("x"), "unavailable"),
        (ConnectionRefusedError("x"), "unavailable"),
        (ConnectionResetError("it may have arrived"), "error"),
        (caused(ValueError("x"), Unavailable("y")), "unavailable"),
        (caused(ValueError("x"), caused(OSError("y"), ConnectionRefusedError("z"))), "unavailable"),
        (caused(Terminal("x"), ConnectionRefusedError("y")), "terminal"),
        (KeyError("never"), "terminal"),
    ],
    ids=repr,
)
async def test_an_exception_says_whether_another_call_may_help(
    app: App, desk: Desk, error: BaseException, kind: str
) -> None:
    @app.operation(retry=Retry(never=(KeyError,)))
    async def raising(_: None) -> None:
        raise error

    found = await desk.fail("raising")
    assert (found.kind, found.type) == (kind, type(error).__name__)
    assert "in raising" in found.traceback


def test_an_exception_that_is_its_own_cause_has_an_end() -> None:
    # In a process of its own: were there none, nothing in this one would ever go on.
    program = """
import asyncio
from tests.streams.test_executor import Desk, caused
from sagalog.engine import App

app = App("orders")
@app.operation
async def circular() -> None:
    error = ValueError("a")
    raise caused(error, caused(KeyError("b"), error))

async def main():
    desk = Desk(app)
    print((await desk.fail("circular")).kind)
    await desk.executor.close()

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=20, check=False
    )
    assert done.stdout == b"error\n", done.stderr.decode()


async def test_what_a_failure_says_is_kept_short(app: App, desk: Desk) -> None:
    @app.operation
    async def verbose(_: None) -> None:
        raise ValueError("x" * 100_000)

    assert len((await desk.fail("verbose")).traceback) == 8000


async def test_an_operation_that_is_not_here_uses_up_no_attempt(desk: Desk) -> None:
    error = await desk.fail("elsewhere")
    assert (error.kind, error.type) == ("unavailable", "UnknownOperation")
    assert "'elsewhere'" in error.message
