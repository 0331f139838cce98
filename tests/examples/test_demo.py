"""The demo keeps its promises on both logs, and its audit would notice if it did not."""

import shutil
import sqlite3
from pathlib import Path

import orjson
import pytest

from examples.demo.audit import Audit, audit
from sagalog.streams.opening import log_at
from tests.examples.running import run

ORDERS = 200
TURNED_BACK = 16


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of one demo on an embedded log, and what it said."""
    folder = tmp_path_factory.mktemp("demo") / "run"
    return folder, run("-m", "examples.demo", "--orders", str(ORDERS), "--folder", str(folder))


@pytest.fixture
def copy(played: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of that folder, to be tampered with."""
    return Path(shutil.copytree(played[0], tmp_path / "copy"))


async def audited(folder: Path) -> Audit:
    log = log_at(f"sqlite:{folder / 'log.db'}")
    await log.open()
    try:
        return await audit(log, "demo", folder)
    finally:
        await log.close()


def add(path: Path, **line: object) -> None:
    with path.open("ab") as file:
        file.write(orjson.dumps(line) + b"\n")


@pytest.mark.slow
def test_the_demo_on_an_embedded_log(played: tuple[Path, str]) -> None:
    said = played[1]
    assert "kill -9" in said
    assert "Every acknowledged order has come to its end, once." in said


@pytest.mark.slow
async def test_the_audit_counts_what_was_done(copy: Path) -> None:
    found = await audited(copy)
    assert found.good
    assert (found.orders, found.lost, found.recomputed, found.unbalanced) == (ORDERS, 0, 0, 0)
    assert (found.completed, found.compensated) == (ORDERS - TURNED_BACK, TURNED_BACK)
    assert found.retried == ORDERS // 20
    assert len(found.in_log) == len(found.at_client) == ORDERS


@pytest.mark.slow
async def test_the_audit_notices_an_order_that_the_log_has_not(copy: Path) -> None:
    add(copy / "client.jsonl", event="acknowledged", instance="lost", order=0, time=0)
    found = await audited(copy)
    assert (found.lost, found.good) == (1, False)


@pytest.mark.slow
async def test_the_audit_notices_a_call_whose_result_was_known(copy: Path) -> None:
    journal = copy / "journal.jsonl"
    line = orjson.loads(journal.read_bytes().splitlines()[0])
    add(journal, **line | {"time": line["time"] + 86_400_000, "pid": 0})
    found = await audited(copy)
    assert (found.recomputed, found.good) == (1, False)


@pytest.mark.slow
async def test_the_audit_notices_a_repeat_that_no_kill_explains(copy: Path) -> None:
    journal = copy / "journal.jsonl"
    line = orjson.loads(journal.read_bytes().splitlines()[-2])
    add(journal, **line | {"attempt": 9, "event": "begin", "time": 0, "pid": 0})
    add(journal, **line | {"attempt": 9, "event": "begin", "time": 0, "pid": 0})
    found = await audited(copy)
    assert (found.unexplained, found.good) == (1, False)


@pytest.mark.slow
async def test_the_audit_notices_an_effect_that_is_missing(copy: Path) -> None:
    shop = sqlite3.connect(copy / "shop.db")
    with shop:
        shop.execute(
            "DELETE FROM ledger WHERE idempotency_key IN"
            " (SELECT idempotency_key FROM ledger WHERE effect = 'refunded' LIMIT 1)"
        )
    shop.close()
    found = await audited(copy)
    assert (found.unbalanced, found.good) == (1, False)


@pytest.mark.slow
def test_the_demo_on_kafka(kafka: str, tmp_path: Path) -> None:
    arguments = ["--log", "kafka", "--orders", str(ORDERS), "--folder", str(tmp_path / "run")]
    said = run("-m", "examples.demo", *arguments, SAGALOG_URL=f"kafka://{kafka}")
    assert "Every acknowledged order has come to its end, once." in said
