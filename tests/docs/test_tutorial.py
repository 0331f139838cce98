"""What the tutorial says of kill -9 is what happens."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from tests.house.blocks import blocks, write_files
from tests.house.test_pages import environment
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "tutorial.md").read_text()
SAGALOG = Path(sys.executable).with_name("sagalog")
PATIENCE = 40


@contextmanager
def pod(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A pod of the tutorial's app, killed at the end."""
    command = [str(SAGALOG), "run", "orders:app"]
    with subprocess.Popen(command, cwd=folder, env=environment(folder)) as process:
        try:
            yield process
        finally:
            process.kill()


def sagalog(folder: Path, *words: str) -> str:
    """What a command says."""
    done = subprocess.run(
        [str(SAGALOG), *words],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        check=False,
    )
    return done.stdout.decode()


def status(folder: Path, key: str) -> str:
    """How a saga is now."""
    words = ("show", "--app", "orders", "--name", "place-order", "--key", key, "--json")
    said = sagalog(folder, *words)
    return str(orjson.loads(said)["status"]) if said else ""


def calls(folder: Path, what: str) -> list[str]:
    """The attempts and keys of the calls that the journal has."""
    journal = folder / "journal.txt"
    lines = journal.read_text().splitlines() if journal.exists() else []
    return [line.split("attempt")[1] for line in lines if line.startswith(f"{what} ")]


def wait_for(what: str, folder: Path, key: str, wanted: str) -> None:
    """Until a saga has the status, or a call of `what` stands in the journal."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if calls(folder, what) if what else status(folder, key) == wanted:
            return
        time.sleep(0.2)
    raise AssertionError(f"{key} is {status(folder, key)!r} after {PATIENCE} s")


@pytest.mark.slow
def test_a_killed_pod_loses_nothing(tmp_path: Path) -> None:
    write_files(blocks(PAGE), tmp_path)
    start = ("start", "orders:app", "place-order", '"desk"', "--key", "fourth", "--no-wait")
    with pod(tmp_path) as killed:
        sagalog(tmp_path, *start)
        wait_for("charge ...", tmp_path, "fourth", "")
        killed.send_signal(signal.SIGKILL)
    assert status(tmp_path, "fourth") == "running"
    with pod(tmp_path):
        wait_for("", tmp_path, "fourth", "completed")
    assert len(calls(tmp_path, "reserve")) == 1
    first, second = calls(tmp_path, "charge ...")
    assert first == second
    assert len(calls(tmp_path, "... charged")) == 1
    assert len(list((tmp_path / "receipts").iterdir())) == 1


@pytest.mark.slow
def test_a_piano_turns_back(tmp_path: Path) -> None:
    write_files(blocks(PAGE), tmp_path)
    with pod(tmp_path):
        said = sagalog(tmp_path, "start", "orders:app", "place-order", '"piano"', "--key", "third")
    assert said.startswith("compensated")
    assert len(calls(tmp_path, "refund")) == len(calls(tmp_path, "put back")) == 1
    assert list((tmp_path / "receipts").iterdir()) == []
