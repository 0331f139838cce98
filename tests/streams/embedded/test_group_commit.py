"""Everything that waits goes into one transaction."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from sagalog.schemas.record import Entry
from sagalog.streams.embedded import EmbeddedLog
from sagalog.streams.embedded.pace import LIGHT, PROBE, QUICK, Pace
from tests.streams.embedded.files import PLACE, TOPIC, entries, open_log, read_all, values


def traced(log: EmbeddedLog) -> list[str]:
    """The statements of the log's writer from now on."""
    assert log._session
    statements: list[str] = []
    log._session._writing.set_trace_callback(statements.append)
    return statements


async def test_appends_of_one_turn_share_a_commit(tmp_path: Path) -> None:
    async with open_log(tmp_path / "log.db") as log:
        statements = traced(log)
        appends = [log.append(TOPIC.name, n % 4, entries(n)) for n in range(50)]
        assert await asyncio.gather(*appends) == [n // 4 for n in range(50)]
        assert statements.count("COMMIT") == 1
        assert sum("INSERT INTO records" in statement for statement in statements) < 6


async def test_commits_and_checkpoints_travel_with_appends(tmp_path: Path) -> None:
    async with open_log(tmp_path / "log.db") as log:
        table = await log.checkpoints(TOPIC.name, 0)
        statements = traced(log)

        async def append() -> None:
            await log.append(*PLACE, entries("a"))

        written = table.write([Entry(b"k", b"v")])
        await asyncio.gather(append(), log.commit("lanes", {PLACE: 1}), written)
        assert statements.count("COMMIT") == 1


async def test_appends_during_a_commit_are_the_next_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pace, "on_loop", lambda self, weight: False)
    async with open_log(tmp_path / "log.db") as log:
        statements = traced(log)
        first = asyncio.ensure_future(log.append(*PLACE, entries("first")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not first.done()
        later = [log.append(*PLACE, entries(n)) for n in range(20)]
        assert await asyncio.gather(first, *later) == list(range(21))
        assert statements.count("COMMIT") == 2


async def test_an_append_is_whole_or_not_at_all(tmp_path: Path) -> None:
    async with open_log(tmp_path / "log.db") as log:
        many = entries(*range(5000))
        await log.append(*PLACE, many)
        assert values(await read_all(log)) == [str(n) for n in range(5000)]


async def test_closing_commits_what_was_appended(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with open_log(path) as log:
        ignored = [log.append(*PLACE, entries(n)) for n in range(10)]
        assert len(ignored) == 10
    async with open_log(path) as log:
        assert values(await read_all(log)) == [str(n) for n in range(10)]
    assert not path.with_name("log.db-wal").exists()


async def test_the_list_of_an_append_may_be_used_again(tmp_path: Path) -> None:
    async with open_log(tmp_path / "log.db") as log:
        bunch = entries("a")
        append = log.append(*PLACE, bunch)
        bunch.clear()
        await append
        assert values(await read_all(log)) == ["a"]


@pytest.mark.parametrize(("fsync", "synchronous"), [(True, 2), (False, 1)])
async def test_fsync_is_a_setting(tmp_path: Path, fsync: bool, synchronous: int) -> None:
    async with open_log(tmp_path / "log.db", fsync=fsync) as log:
        assert log._session
        writing = log._session._writing
        assert writing.execute("PRAGMA synchronous").fetchall() == [(synchronous,)]
        assert writing.execute("PRAGMA journal_mode").fetchall() == [("wal",)]


async def test_timestamps_never_go_back_within_a_place(tmp_path: Path) -> None:
    path, times = tmp_path / "log.db", [500, 300, 700]
    for _ in range(3):
        async with open_log(path, clock=lambda: times[0]) as log:
            await log.append(*PLACE, entries("a"))
            times.pop(0)
    async with open_log(path) as log:
        assert [record.timestamp for record in await read_all(log)] == [500, 500, 700]


async def test_the_wal_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with open_log(path) as log:
        for _ in range(60):
            await log.append(*PLACE, [Entry(b"k", b"x" * 500_000)])
            await asyncio.sleep(0.001)
        assert log._session
        await log._session._wal.stop()
        assert path.with_name("log.db-wal").stat().st_size < 20 << 20
        assert path.stat().st_size > 15 << 20


async def test_a_file_can_be_read_with_sqlite_alone(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with open_log(path) as log:
        await log.append(*PLACE, [Entry(b"k", b"v", (("traceparent", b"00-1"),))])
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT offset, key, value, headers FROM records").fetchall()
    connection.close()
    assert rows == [(0, b"k", b"v", '[["traceparent","00-1"]]')]


class TestPace:
    def test_quick_commits_stay_on_the_loop(self) -> None:
        pace = Pace()
        for _ in range(100):
            assert pace.on_loop(1000)
            pace.took(QUICK / 10)
        pace.took(10.0)
        assert pace.on_loop(1000), "one slow commit is no slow disk"
        assert not pace.on_loop(LIGHT + 1)

    def test_a_slow_disk_is_left_to_the_thread_and_probed(self) -> None:
        pace = Pace()
        for _ in range(50):
            pace.took(QUICK * 2)
        assert [pace.on_loop(0) for _ in range(PROBE)].count(True) == 1
        for _ in range(50):
            pace.took(QUICK / 10)
        assert pace.on_loop(0)
