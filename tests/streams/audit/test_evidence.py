"""The journal that handlers keep, and how it is read again."""

from pathlib import Path

import pytest

from sagalog.engine import Context
from sagalog.streams.audit import Call, Journal, read_journal


def context(step: str = "a", attempt: int = 1) -> Context:
    return Context("x", "s", step, attempt, f"x:r1:{step}", operations={"a": "reserve"})


def test_what_two_processes_write_is_read_in_its_order(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    one, other = Journal(file), Journal(file)
    one.begin(context())
    other.begin(context("b"))
    one.effect(context())
    for journal in (one, other):
        journal.close()
    calls = read_journal(file)
    assert [(call.what, call.step, call.key) for call in calls] == [
        ("begin", "a", "x:r1:a"),
        ("begin", "b", "x:r1:b"),
        ("effect", "a", "x:r1:a"),
    ]
    assert [call.operation for call in calls] == ["reserve", "b", "reserve"]
    assert calls[0].read == -1
    assert calls == sorted(calls, key=lambda call: call.at)


def test_a_journal_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"no json\n", "line 1 is no call of a journal"),
        (b"[1, 2]\n", "line 1 is no call of a journal"),
        (b'["end",1,1,"o","x","a","forward",1,"k"]\n', "says 'end', which is neither"),
    ],
)
def test_what_is_no_journal_is_refused(tmp_path: Path, text: bytes, said: str) -> None:
    (tmp_path / "journal").write_bytes(text)
    with pytest.raises(ValueError, match=said):
        read_journal(tmp_path / "journal")


def test_a_line_may_say_how_far_its_writer_had_read(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(b'["begin",5,7,"o","x","a","undo",2,"k",31]\n')
    (call,) = read_journal(tmp_path / "journal")
    assert call == Call("begin", 5, 7, "o", "x", "a", "undo", 2, "k", read=31)
