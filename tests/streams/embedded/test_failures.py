"""Each thing that goes wrong has a sentence with the path and the way out."""

import asyncio
import logging
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sagalog.schemas.record import Entry
from sagalog.streams.embedded import EmbeddedLog, MemoryLog
from sagalog.streams.embedded.mounts import file_system, refuse_network
from sagalog.streams.errors import Fenced, LogUnavailable, RecordTooLarge, TopicMissing
from tests.streams.embedded.files import (
    PLACE,
    TOPIC,
    entries,
    open_log,
    other_process,
    read_all,
    says,
    values,
    watching,
)

NOBODY = 65534


@contextmanager
def without_rights() -> Iterator[None]:
    """Be a user whom rights bind, where this is root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


async def fails_to_open(path: Path, sentence: str) -> None:
    with pytest.raises(LogUnavailable, match=sentence) as caught:
        await EmbeddedLog(path).open()
    assert str(path) in str(caught.value)


async def test_a_missing_directory(tmp_path: Path) -> None:
    await fails_to_open(tmp_path / "none" / "log.db", "there is no directory .*none. Create it")


async def test_a_directory_instead_of_a_file(tmp_path: Path) -> None:
    await fails_to_open(tmp_path, "cannot be opened. Check that it is a file")


async def test_a_file_that_is_no_log(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    path.write_bytes(b"These are notes about an order. " * 100)
    await fails_to_open(path, "is not a log of sagalog.* Choose another path")


async def test_an_sqlite_file_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE notes (text)")
    connection.close()
    await fails_to_open(path, "is an SQLite file of something else")


async def test_a_file_of_a_newer_format(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with open_log(path):
        pass
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    await fails_to_open(path, r"written by another version of sagalog \(format 99")


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that anybody may enter."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path
        path.chmod(0o755)


async def test_a_file_that_may_not_be_written(directory: Path) -> None:
    path = directory / "log.db"
    async with open_log(path):
        pass
    for each, mode in ((path, 0o444), (directory, 0o555)):
        await asyncio.to_thread(each.chmod, mode)
    with without_rights():
        await fails_to_open(path, "Give this user write access")


def damage(path: Path) -> None:
    """Write noise over all but the first page."""
    first = path.read_bytes()[:4096]
    path.write_bytes(first + os.urandom(path.stat().st_size - 4096))


async def test_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with open_log(path) as log:
        await log.append(*PLACE, [Entry(None, b"x" * 500) for _ in range(2000)])
    damage(path)
    await fails_to_open(path, r"is damaged.*`sqlite3 log.db .recover`")


async def test_a_full_disk_refuses_and_forgets_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_log(tmp_path / "log.db") as log:
        await log.append(*PLACE, entries("before"))
        assert log._session
        writing, large = log._session._writing, [Entry(None, b"x" * 500_000)]
        pages = writing.execute("PRAGMA page_count").fetchall()[0][0]
        writing.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LogUnavailable, match=r"The disk that holds .*log.db is full"):
            await log.append(*PLACE, large)
        assert [record.levelno for record in caplog.records] == [logging.ERROR]

        async def ignored() -> None:
            log.append(*PLACE, large)

        _, failure = await asyncio.gather(
            ignored(), log.commit("g", {PLACE: 1}), return_exceptions=True
        )
        assert isinstance(failure, LogUnavailable)
        writing.execute("PRAGMA max_page_count = 1000000")
        assert await log.append(*PLACE, entries("after")) == 1
        assert values(await read_all(log)) == ["before", "after"]


async def test_a_log_that_stays_locked(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with open_log(path, lock_timeout=0.2) as log, other_process("lock", path) as process:
        assert await says(process) == "locked"
        with pytest.raises(LogUnavailable, match=r"stays locked by another process.*fuser"):
            await log.append(*PLACE, entries("a"))
        assert await log.ends([PLACE]) == {PLACE: 0}


async def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with open_log(path) as log, other_process("lock", path) as process:
        assert await says(process) == "locked"
        append = asyncio.ensure_future(log.append(*PLACE, entries("a")))
        late = asyncio.ensure_future(log.append(*PLACE, entries("b")))
        assert not (await asyncio.wait([append], timeout=0.05))[0]
        assert process.stdin
        process.stdin.write(b"\n")
        assert await says(process) == "unlocked"
        assert (await append, await late) == (0, 1)


@pytest.mark.parametrize("kind", ["file", "memory"])
async def test_a_record_over_the_limit(tmp_path: Path, kind: str) -> None:
    limits = MemoryLog(max_record_bytes=100)
    await limits.create([TOPIC])
    async with open_log(tmp_path / "log.db", max_record_bytes=100) as in_file:
        log = in_file if kind == "file" else limits
        await log.append(*PLACE, [Entry(b"k" * 40, b"v" * 60)])
        for entry in (
            Entry(b"k" * 41, b"v" * 60),
            Entry(None, b"v" * 60, (("n" * 20, b"x" * 21),)),
        ):
            with pytest.raises(RecordTooLarge, match=r"101 bytes for t.events .* limit of 100"):
                await log.append(*PLACE, [*entries("small"), entry])
        assert await log.ends([PLACE]) == {PLACE: 1}


@pytest.mark.parametrize("kind", ["file", "memory"])
async def test_a_refused_append_that_nobody_awaits_is_logged(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_log(tmp_path / "log.db") as in_file:
        log = in_file if kind == "file" else MemoryLog()
        log.append("nowhere", 0, entries("a"))
        assert "There is no topic nowhere" in caplog.text
        with pytest.raises(TopicMissing):
            log.reader().watch(("nowhere", 0), 0)


async def test_a_log_that_is_not_open(tmp_path: Path) -> None:
    log = EmbeddedLog(tmp_path / "log.db")
    with pytest.raises(LogUnavailable, match=r"log.db is not open"):
        await log.append(*PLACE, entries("a"))
    with pytest.raises(LogUnavailable, match="is not open"):
        log.reader()
    await log.close()


async def test_a_fork_must_open_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_log(tmp_path / "log.db") as log:
        pid = os.getpid()
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: pid + 1)
            with pytest.raises(LogUnavailable, match=f"opened by pid {pid}, before this fork"):
                await log.append(*PLACE, entries("a"))


async def test_closing_the_log_ends_its_reads(tmp_path: Path) -> None:
    log = EmbeddedLog(tmp_path / "log.db")
    await log.open()
    await log.create([TOPIC])
    reader = watching(log)
    pending = asyncio.ensure_future(reader.read(60.0))
    await asyncio.sleep(0)
    await log.close()
    assert await pending == []
    assert await reader.read(60.0) == []


async def test_a_fenced_checkpoint_does_not_harm_the_appends_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with open_log(path) as log, open_log(path) as other:
        older = await log.checkpoints(TOPIC.name, 0)
        await older.write([Entry(b"", b"0"), Entry(b"a", b"1"), Entry(b"a", b"2")])
        newer = await other.checkpoints(TOPIC.name, 0)
        append = log.append(*PLACE, entries("a"))
        with pytest.raises(Fenced, match=r"t.events/0 was opened by a newer owner \(epoch 2"):
            await older.write([Entry(b"a", b"zombie")])
        assert await append == 0
        assert await newer.restore() == {b"": b"0", b"a": b"2"}


def test_a_network_file_system_is_refused(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    share = tmp_path / "a share"
    share.mkdir()
    escaped = str(share).replace(" ", "\\040")
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/x {escaped} nfs4 rw 0 0\n")
    assert file_system(tmp_path / "log.db", mounts) == "ext4"
    refuse_network(tmp_path / "log.db", mounts)
    with pytest.raises(LogUnavailable, match=r"network file system \(nfs4\).*use Kafka"):
        refuse_network(share / "log.db", mounts)
    assert file_system(tmp_path / "log.db", tmp_path / "none") == ""
