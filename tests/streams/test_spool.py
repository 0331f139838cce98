"""The spool: what is written is there after a kill, once, whatever was cut short."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from sagalog.streams.spool import Spool, SpoolError, read
from tests.house.tree import ROOT

WRITER = """
import sys
from pathlib import Path
from sagalog.streams.spool import Spool
spool = Spool(Path(sys.argv[1]), "shop", "kafka:here")
for number in range(int(sys.argv[3])):
    spool.write(f"{sys.argv[2]}-{number}", b"record")
    print(number, flush=True)
"""


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", "shop", "kafka:here")


def content(spool: Spool) -> dict[str, bytes | None]:
    """What would be published now; it stays."""
    with spool.publishing() as files:
        assert files is not None
        found: dict[str, bytes | None] = {}
        for held in files:
            found |= held.records
        return found


def path(spool: Spool) -> Path:
    return spool.folder / f"{spool._name}.spool"


def test_it_makes_nothing_until_it_is_needed(spool: Spool) -> None:
    assert spool.empty
    assert content(spool) == {}
    assert not spool.folder.exists()


def test_the_newest_record_of_each_id_counts(spool: Spool) -> None:
    spool.write("a", b"1")
    spool.write("b", b"2")
    spool.write("a", b"3")
    spool.write("b", None)
    assert content(spool) == {"a": b"3", "b": None}


def test_what_is_not_done_is_met_again(spool: Spool) -> None:
    spool.write("a", b"1")
    assert content(spool) == {"a": b"1"}
    spool.write("b", b"2")
    assert not spool.empty
    with spool.publishing() as files:
        assert files is not None
        assert [held.records for held in files] == [{"a": b"1"}, {"b": b"2"}]
        spool.done(files[0])
    assert content(spool) == {"b": b"2"}


@pytest.mark.parametrize("left", range(1, 18, 4))
def test_a_torn_tail_is_passed_over_and_spoils_nothing_behind_it(spool: Spool, left: int) -> None:
    spool.write("a", b"1")
    whole = path(spool).read_bytes()
    spool.write("b", b"2")
    path(spool).write_bytes(path(spool).read_bytes()[: len(whole) + left])
    spool.write("c", b"3")
    assert content(spool) == {"a": b"1", "c": b"3"}


def test_a_spoilt_byte_costs_its_own_line_alone_and_is_kept_for_a_person(spool: Spool) -> None:
    spool.write("a", b"1")
    spool.write("b", b"2")
    spoilt = bytearray(path(spool).read_bytes())
    spoilt[5] ^= 1
    path(spool).write_bytes(spoilt)
    with spool.publishing() as files:
        assert files is not None
        (held,) = files
        assert (held.records, held.torn) == ({"b": b"2"}, 1)
        spool.done(held)
    assert spool.empty
    (kept,) = spool.folder.glob("*.torn")
    assert read(kept).torn == 1


def test_a_full_disk_is_a_clear_error(spool: Spool) -> None:
    spool.folder.mkdir()
    path(spool).symlink_to("/dev/full")
    with pytest.raises(SpoolError, match=r"No space left on device.*SAGALOG_SPOOL"):
        spool.write("a", b"1")


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolError, match="cannot be written to"):
        Spool(tmp_path / "file" / "spool", "shop", "kafka:here").write("a", b"1")


@pytest.mark.parametrize(
    ("app", "log"), [("shop.two", "kafka:here"), ("shop", "kafka:there"), ("shop", "memory:1")]
)
def test_two_apps_or_logs_do_not_meet(spool: Spool, app: str, log: str) -> None:
    spool.write("a", b"1")
    other = Spool(spool.folder, app, log)
    assert other.empty
    assert content(other) == {}
    assert content(spool) == {"a": b"1"}


def test_only_one_publishes_at_a_time(spool: Spool) -> None:
    spool.write("a", b"1")
    with spool.publishing() as mine:
        assert mine
        with Spool(spool.folder, "shop", "kafka:here").publishing() as theirs:
            assert theirs is None
        spool.write("b", b"2")
    assert content(spool) == {"a": b"1", "b": b"2"}


async def _writer(folder: Path, name: str, count: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, str(folder), name, str(count)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )


async def test_two_processes_write_at_once_while_a_third_takes_away(spool: Spool) -> None:
    writers = [await _writer(spool.folder, name, 40) for name in "ab"]
    found: dict[str, bytes | None] = {}
    while any(writer.returncode is None for writer in writers) or not spool.empty:
        with spool.publishing() as files:
            for held in files or ():
                assert held.torn == 0
                assert not found.keys() & held.records.keys()
                found |= held.records
                spool.done(held)
        await asyncio.sleep(0.01)
    assert found.keys() == {f"{name}-{n}" for name in "ab" for n in range(40)}


async def test_kill_9_loses_nothing_that_was_acknowledged(spool: Spool) -> None:
    last = -1
    for life in range(3):
        writer = await _writer(spool.folder, f"life{life}", 10_000)
        assert writer.stdout is not None
        for _ in range(40):
            last = json.loads(await writer.stdout.readline())
        writer.kill()
        await writer.wait()
        assert content(spool).keys() >= {f"life{life}-{n}" for n in range(last + 1)}


def test_a_line_that_is_not_acknowledged_is_not_there(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.write("a", b"1")

    def refuse(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", refuse)
        with pytest.raises(SpoolError, match="Input/output error"):
            spool.write("b", b"2")
    assert content(spool) == {"a": b"1"}


def test_a_folder_is_tried_before_it_is_needed_and_not_made(spool: Spool, tmp_path: Path) -> None:
    spool.check()
    assert not spool.folder.exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolError, match="SAGALOG_SPOOL"):
        Spool(tmp_path / "file" / "spool", "shop", "kafka:here").check()
