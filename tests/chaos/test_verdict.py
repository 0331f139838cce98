"""A forged folder: each promise that it shows broken is named, and so is each fault that lacks."""

from pathlib import Path
from typing import Any

import pytest

from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.definition import Definition, StepSpec
from sagalog.schemas.record import Record
from tests.chaos.evidence import _line
from tests.chaos.lines import Book
from tests.chaos.plan import RETENTION, Plan
from tests.chaos.verdict import violations
from tests.chaos.void import voids

ID = "an-instance"


class Folder:
    """What a run would have left behind."""

    def __init__(self, folder: Path) -> None:
        self.plan = Plan(folder, seed=1, seconds=90)
        self._offset = 0
        for name in ("topics", "tables", "pods"):
            (folder / name).mkdir()

    def called(self, what: str, **said: Any) -> None:
        Book(self.plan.calls).note(what, number=1, id=ID, **said)

    def acknowledged(self) -> None:
        self.called("acknowledged", end="completed", key=None)

    def did(self, what: str, **said: Any) -> None:
        Book(self.plan.deeds).note(what, **said)

    def poisoned(self, what: str) -> None:
        place = {"topic": "chaos1.high", "partition": 0, "offset": 4}
        Book(self.plan.poison).note(what, **place, mark="1")

    def fact(self, fact: f.Fact, at: int = 1_000) -> None:
        _, value = codec.encode_fact(fact, source="o", subject=ID, now=at)
        file = self.plan.folder / "topics" / "chaos1.events-0.jsonl"
        record = Record("chaos1.events", 0, self._offset, at, ID.encode(), value)
        self._offset += 1
        with file.open("a") as kept:
            kept.write(_line(record))

    def shows(self, letter: str, sentence: str) -> bool:
        found = [text.splitlines()[0] for text in violations(self.plan)]
        return any(one.startswith(letter) and sentence in one for one in found)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_nothing_is_found_in_a_folder_where_nothing_happened(folder: Folder) -> None:
    assert violations(folder.plan) == []


def test_what_was_acknowledged_and_is_not_in_the_log(folder: Folder) -> None:
    folder.acknowledged()
    assert folder.shows("O5", "acknowledged")


def test_what_was_acknowledged_and_nobody_was_told_of(folder: Folder) -> None:
    folder.acknowledged()
    assert folder.shows("L1", "its end was told to nobody")


def test_an_end_that_is_not_the_logs(folder: Folder) -> None:
    folder.acknowledged()
    folder.fact(f.Compensated("r"))
    folder.called("told", kind="outcome", status="completed", value={})
    assert folder.shows("S7", "was told completed, and the log says {'compensated'}")


def test_a_result_that_is_not_the_logs(folder: Folder) -> None:
    folder.acknowledged()
    folder.fact(f.StepCompleted("r", "a", 1, "first"))
    folder.fact(f.StepCompleted("r", "a", 1, "second"))
    folder.fact(f.Completed("r"))
    folder.called("told", kind="outcome", status="completed", value={"a": "second"})
    assert folder.shows("S7", "was told the result {'a': 'second'}")


def test_the_true_result_passes(folder: Folder) -> None:
    folder.acknowledged()
    folder.fact(f.StepCompleted("r", "a", 1, "first"))
    folder.fact(f.Completed("r"))
    folder.called("told", kind="outcome", status="completed", value={"a": "first"})
    assert not folder.shows("S7", "was told")


@pytest.mark.parametrize(("waited", "caught"), [(RETENTION, False), (RETENTION - 1, True)])
def test_a_step_elsewhere_may_be_refused_a_retention_later_and_no_earlier(
    folder: Folder, waited: float, caught: bool
) -> None:
    definition = Definition("saga", "order", (StepSpec("ship", "there/ship"),))
    folder.acknowledged()
    folder.fact(f.Started("r", definition, None, "f", "normal", 0, int(RETENTION * 1000)))
    refused = f.StepFailed("r", "ship", 1, f.Failure("terminal", "Refused", "late"), final=True)
    folder.fact(refused, 1_000 + int(waited * 1000))
    folder.fact(f.Compensated("r"), 1_000 + int(waited * 1000))
    assert folder.shows("L1", "it was to end as completed, and is compensated") is caught


def test_what_was_acknowledged_and_cannot_be_found(folder: Folder) -> None:
    folder.acknowledged()
    folder.called("told", kind="NotFound")
    assert folder.shows("S7", "was told NotFound")


def test_a_repeat_that_was_called_a_conflict(folder: Folder) -> None:
    folder.acknowledged()
    folder.called("refused again", kind="Refused")
    assert folder.shows("S7", "the second start")


def test_a_start_that_failed(folder: Folder) -> None:
    folder.called("failed", error="LogUnavailable()")
    assert folder.shows("O5", "a start failed: LogUnavailable()")


def test_a_bad_record_without_its_dead_letter(folder: Folder) -> None:
    folder.poisoned("no JSON")
    assert folder.shows("S9", "no JSON at chaos1.high/0/4 has no dead letter")


def test_a_pod_that_ended_by_itself(folder: Folder) -> None:
    folder.did("died", who="pod-1", pid=1, code=1)
    assert folder.shows("L5", "pod-1 ended by itself with 1")


@pytest.mark.parametrize(("code", "seconds"), [(1, 1.0), (0, 30.0)])
def test_a_pod_that_did_not_end_in_order(folder: Folder, code: int, seconds: float) -> None:
    folder.did("stopped", who="pod-1", code=code, seconds=seconds)
    assert folder.shows("L6", f"pod-1 took {seconds} s to end with {code}")


def test_a_run_that_found_no_rest(folder: Folder) -> None:
    folder.did("restless", why="requests left")
    assert folder.shows("L1", "requests left")


def test_a_torn_checkpoint(folder: Folder) -> None:
    kept = '{"transactions": [[1, 0, true, 5, 0, false, 9]], "rows": {}}'
    (folder.plan.folder / "tables" / "chaos1-0.json").write_text(kept)
    assert folder.shows("O3", "chaos1.tables/0: the transaction that ends at 9")


def test_a_run_in_which_nothing_struck_is_void_and_says_of_what_there_was_too_little(
    folder: Folder,
) -> None:
    said = voids(folder.plan)
    for what in ("kill", "freeze", "guest", "broker", "caller", "far", "poison"):
        assert any(one.startswith(f"{what}: 0 of ") for one in said)
    for what in (
        "the proxy has struck late 0 times",
        "no answer to EndTxn was lost",
        "only 0 orders were acknowledged",
        "the log has no StepCompensated",
        "no fact came late, behind another owner's take",
        "no call was cut short",
        "no owner was overtaken by another",
        "no key was used twice with another payload",
    ):
        assert what in said
