"""Handlers in processes: real ones, which are killed, cut off, and replaced."""

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sagalog.engine import App, Context, DeclarationError
from sagalog.engine.effects import Call, Invocation
from sagalog.engine.pending import Run
from sagalog.engine.results import Result, Returned
from sagalog.schemas.facts import Failure
from sagalog.streams import processes
from sagalog.streams.addresses import Address, address_of
from sagalog.streams.executor import Executor
from sagalog.streams.processes import Processes
from tests.recovery.world import eventually
from tests.streams import heavy

PATIENCE = 60.0


class Desk:
    """An executor with processes, and who waits for which of its calls."""

    def __init__(self, processes: int) -> None:
        self.executor = Executor(
            heavy.app.operations, self._finished, threads=1, processes=processes
        )
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

    async def value(self, operation: str, input: Any = None) -> Any:
        result = await self.call(operation, input)
        assert isinstance(result, Returned), result
        return result.value

    async def fail(self, operation: str, input: Any = None, *, timeout: int = 0) -> Failure:
        result = await self.call(operation, input, timeout=timeout)
        assert isinstance(result, Failure)
        return result

    @property
    def processes(self) -> Processes:
        assert self.executor._processes is not None
        return self.executor._processes

    def _finished(self, call: Call, result: Result) -> None:
        self._waiting.pop(call).set_result(result)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk(2)
    yield desk
    await desk.executor.close()


@pytest.fixture
async def one() -> AsyncIterator[Desk]:
    """A desk with one process."""
    desk = Desk(1)
    yield desk
    await desk.executor.close()


async def marked(file: Path) -> int:
    """The process that has written its number there."""
    return int(await eventually(lambda: _text(file), patience=PATIENCE))


async def _text(file: Path) -> str:
    return file.read_text() if file.exists() else ""  # noqa: ASYNC240 (a few bytes)


async def test_a_handler_runs_in_another_process_with_its_context(desk: Desk) -> None:
    told = await desk.value("where")
    assert told["pid"] != os.getpid()
    assert (told["key"], told["attempt"]) == ("key-1", 1)


async def test_two_heavy_handlers_compute_side_by_side(desk: Desk) -> None:
    await asyncio.gather(desk.value("spin", 0.0), desk.value("spin", 0.0))
    first, second = await asyncio.gather(desk.value("spin", 0.5), desk.value("spin", 0.5))
    assert first[2] != second[2]
    assert max(first[0], second[0]) < min(first[1], second[1])


async def test_no_more_run_than_there_may_be_processes(one: Desk) -> None:
    spans = await asyncio.gather(*(one.value("spin", 0.05) for _ in range(4)))
    spans.sort()
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert len({pid for _, _, pid in spans}) == 1


async def test_a_timeout_kills_the_process_and_no_other(desk: Desk, tmp_path: Path) -> None:
    other = desk.submit("spin", 4.0)
    late = await desk.fail("mark_and_spin", str(tmp_path / "pid"), timeout=2000)
    assert (late.kind, late.message) == ("timeout", "took longer than 2000 ms")
    pid = await marked(tmp_path / "pid")
    await eventually(lambda: _gone(pid))
    result = await asyncio.wait_for(other, PATIENCE)
    assert isinstance(result, Returned)
    assert (await desk.value("where"))["pid"] != pid


async def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_a_killed_process_is_a_failure_that_says_so(one: Desk, tmp_path: Path) -> None:
    call = one.submit("mark_and_spin", str(tmp_path / "pid"))
    pid = await marked(tmp_path / "pid")
    os.kill(pid, signal.SIGKILL)
    result = await asyncio.wait_for(call, PATIENCE)
    assert isinstance(result, Failure)
    assert (result.kind, result.type) == ("timeout", "ProcessDied")
    assert "it was killed by SIGKILL: out of memory?" in result.message
    assert (await one.value("where"))["pid"] != pid


async def test_a_process_that_dies_between_calls_is_replaced(one: Desk) -> None:
    pid = (await one.value("where"))["pid"]
    child = one.processes._idle[0]
    os.kill(pid, signal.SIGKILL)
    await child.wait()
    assert (await one.value("where"))["pid"] != pid


async def test_one_that_ends_itself_is_a_failure_too(desk: Desk) -> None:
    failure = await desk.fail("end_at_once", 7)
    assert "it ended by itself, with code 7" in failure.message


@pytest.mark.parametrize(
    ("how", "kind", "type_"),
    [
        ("error", "error", "ValueError"),
        ("terminal", "terminal", "Terminal"),
        ("never", "terminal", "KeyError"),
        ("unavailable", "unavailable", "Unavailable"),
        ("exit", "error", "SystemExit"),
    ],
)
async def test_an_exception_means_what_it_means_in_a_thread(
    desk: Desk, how: str, kind: str, type_: str
) -> None:
    failure = await desk.fail("fail", how)
    assert (failure.kind, failure.type) == (kind, type_)
    assert "heavy.py" in failure.traceback


async def test_a_result_that_is_no_json_says_so(desk: Desk) -> None:
    failure = await desk.fail("odd")
    assert (failure.kind, failure.type) == ("invalid", "InvalidResult")
    assert "what JSON cannot hold" in failure.message


async def test_an_input_of_another_type_says_so(desk: Desk) -> None:
    failure = await desk.fail("typed", "seven")
    assert (failure.kind, failure.type) == ("terminal", "InvalidInput")


async def test_what_a_handler_prints_and_reads_disturbs_nobody(desk: Desk) -> None:
    assert len(await desk.value("noisy", 500_000)) == 500_000


async def test_an_operation_declared_by_a_call_is_found_too(desk: Desk) -> None:
    assert await desk.value("called", 21) == 42


async def test_a_lost_partition_kills_its_calls(desk: Desk, tmp_path: Path) -> None:
    desk.submit("mark_and_spin", str(tmp_path / "pid"), partition=7)
    pid = await marked(tmp_path / "pid")
    assert desk.executor.stop(7) == 1
    await eventually(lambda: _gone(pid))


async def test_closing_kills_what_still_runs(tmp_path: Path) -> None:
    desk = Desk(2)
    await desk.value("where")
    desk.submit("mark_and_spin", str(tmp_path / "pid"))
    pid = await marked(tmp_path / "pid")
    pids = desk.processes.pids
    assert pid in pids
    async with asyncio.timeout(5):
        await desk.executor.close()
    for each in pids:
        assert await _gone(each)


async def _unlocked(file: Path) -> bool:
    """Whether who held it has ended, be it reaped or not."""
    with file.open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


async def test_closing_ends_what_a_handler_has_forked(tmp_path: Path) -> None:
    desk = Desk(1)
    desk.submit("fork", {"file": str(tmp_path / "pid")})
    await marked(tmp_path / "pid")
    async with asyncio.timeout(5):
        await desk.executor.close()
    await eventually(lambda: _unlocked(tmp_path / "pid"))


async def test_a_timeout_ends_what_a_handler_has_forked(one: Desk, tmp_path: Path) -> None:
    late = await one.fail("fork", {"file": str(tmp_path / "pid")}, timeout=2000)
    assert late.kind == "timeout"
    await eventually(lambda: _unlocked(tmp_path / "pid"))


@pytest.mark.parametrize("leave", [False, True])
async def test_a_fork_that_holds_the_pipe_does_not_hide_that_its_process_ended(
    one: Desk, tmp_path: Path, leave: bool
) -> None:
    given = {"file": str(tmp_path / "pid"), "end": True, "leave": leave}
    async with asyncio.timeout(20):
        failure = await one.fail("fork", given)
    assert "it ended by itself, with code 7" in failure.message
    if leave:  # out of reach, as it wanted
        os.kill(await marked(tmp_path / "pid"), signal.SIGKILL)
    await eventually(lambda: _unlocked(tmp_path / "pid"))


async def test_an_import_that_blocks_is_a_failure_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocks.py").write_text("import time\ntime.sleep(3600)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(processes, "READY_WITHIN", 0.5)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(processes.Unready, match=r"its imports take longer than 0\.5 s"):
            await processes.Child.start([Address("blocks", "never", "never")])


async def test_without_processes_it_runs_in_a_thread() -> None:
    desk = Desk(0)
    assert (await desk.value("where"))["pid"] == os.getpid()
    await desk.executor.close()


def test_a_handler_that_no_other_process_can_find_is_refused() -> None:
    app = App("local")

    @app.operation(pool="process")
    def inner() -> None: ...

    with pytest.raises(DeclarationError, match="at the top of a module"):
        address_of(inner)
    with pytest.raises(DeclarationError, match="inner: pool"):
        Executor(app.operations, lambda *_: None, threads=1, processes=1)


def test_an_async_handler_is_for_no_pool() -> None:
    app = App("local")

    async def handler() -> None: ...

    with pytest.raises(DeclarationError, match="an async one runs on the loop"):
        app.operation(pool="process")(handler)
    with pytest.raises(DeclarationError, match="'core' is none"):
        app.operation(pool="core", name="x")(len)  # type: ignore[call-overload]


SCRIPT = """
import asyncio, os, time
from pathlib import Path
from sagalog.engine import App
from sagalog.streams import connect

app = App("script")

@app.operation(pool="process")
def where() -> int:
    return os.getpid()

@app.operation(pool="process")
def spin(file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    while True:
        sum(range(1000))

async def main() -> None:
    async with connect(app, "memory:") as client:
        print(await (await client.submit(where)).result() != os.getpid())
        if os.environ.get("SPIN"):
            await (await client.submit(spin, os.environ["SPIN"])).result()

if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.mark.parametrize("words", [["script.py"], ["-m", "script"]], ids=["file", "module"])
def test_handlers_of_a_script_are_found(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    told = subprocess.run(
        [sys.executable, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (told.stdout, told.returncode) == ("True\n", 0), told.stderr


async def test_processes_end_with_their_pod_though_it_is_killed(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    env = os.environ | {"SPIN": str(tmp_path / "pid")}
    pod = subprocess.Popen([sys.executable, "script.py"], cwd=tmp_path, env=env)  # noqa: ASYNC220
    pid = await marked(tmp_path / "pid")
    pod.kill()
    pod.wait()
    await eventually(lambda: _gone(pid))
