"""Readers notice what other processes commit, within milliseconds, and rest cheaply."""

import asyncio
import statistics
import time
from pathlib import Path

import pytest

from sagalog.streams.embedded import notice
from sagalog.streams.embedded.inotify import FileEvents
from sagalog.streams.embedded.notice import CALM
from tests.streams.embedded.files import (
    PLACE,
    SOON,
    TOPIC,
    entries,
    open_log,
    other_process,
    read,
    says,
    values,
    watching,
)


@pytest.fixture(params=["inotify", "no inotify"])
def told(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(path: Path) -> FileEvents:
        raise OSError("no inotify")

    if request.param == "no inotify":
        monkeypatch.setattr(notice, "FileEvents", none_left)


@pytest.mark.usefixtures("told")
async def test_an_echo_through_another_process(tmp_path: Path) -> None:
    path, took = tmp_path / "log.db", []
    async with open_log(path) as log, other_process("echo", path) as process:
        assert await says(process) == "open"
        reader = watching(log, (TOPIC.name, 1))
        for n in range(60):
            began = time.perf_counter()
            await log.append(*PLACE, entries(n))
            assert values(await read(reader, 1)) == [str(n)]
            took.append(time.perf_counter() - began)
    # Some 5 ms, on a machine that does nothing else.
    assert statistics.median(took) < 0.05


@pytest.mark.usefixtures("told")
async def test_a_reader_that_slept_is_woken(tmp_path: Path) -> None:
    path, took = tmp_path / "log.db", []
    async with open_log(path) as log, open_log(path) as other:
        reader = watching(log)
        for n in range(4):
            pending = asyncio.ensure_future(reader.read(SOON))
            assert (await asyncio.wait([pending], timeout=2 * CALM))[1]
            await other.append(*PLACE, entries(n))
            began = time.perf_counter()
            assert values(await pending) == [str(n)]
            took.append(time.perf_counter() - began)
    assert statistics.median(took) < 0.05


async def test_idle_readers_cost_less_than_a_hundredth(tmp_path: Path) -> None:
    async with open_log(tmp_path / "log.db") as log:
        reader = watching(log)
        assert await reader.read(0.2) == []
        began = time.process_time()
        assert await reader.read(1.0) == []
        assert time.process_time() - began < 0.01


async def test_a_log_without_readers_has_no_timer(tmp_path: Path) -> None:
    async with open_log(tmp_path / "log.db") as log:
        assert log._session
        reader = watching(log)
        assert log._session._notice._timer
        await reader.close()
        assert log._session._notice._timer is None


async def test_topics_that_another_process_creates_are_found(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with open_log(path) as log, open_log(path) as other:
        await other.create([type(TOPIC)("new", 1)])
        assert await log.append("new", 0, entries("a")) == 0
        assert (await log.describe(["new"])).keys() == {"new"}


async def test_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with (
        other_process("echo", path) as first,
        other_process("echo", path) as second,
        other_process("echo", path) as third,
    ):
        assert [await says(process) for process in (first, second, third)] == ["open"] * 3
