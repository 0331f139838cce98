"""L1: at rest every life has ended, or waits for a person; and nobody is owed anything."""

import pytest

from sagalog.schemas import facts as f
from sagalog.streams.audit import Auditor
from tests.streams.audit.catching import Case, cases, caught
from tests.streams.audit.forgery import RUN, TERMINAL, Forgery
from tests.streams.audit.stories import complete, parked, unreadable


def endless(log: Forgery) -> None:
    log.start()
    log.done("a")


def without_an_end(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.done("b")


def not_undone(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.failed("b")


def not_cancelled(log: Forgery) -> None:
    log.start()
    log.fact(f.CancelRequested(RUN))
    log.undone("a")


def orphan_remains(log: Forgery) -> None:
    log.start()
    log.fact(f.CancelRequested(RUN))
    log.undone("a")
    log.fact(f.Cancelled(RUN))
    log.fact(f.StepCompleted(RUN, "a", 1))


def letter_not_told_of(log: Forgery) -> None:
    log.start()
    log.fact(f.StepFailed(RUN, "a", 1, TERMINAL, final=True))
    log.fact(f.Compensated(RUN))


L1 = cases(
    (endless, "L1 .* it is running, and has not ended: b has no outcome"),
    (without_an_end, "L1 .* it is running, and has not ended: its end is to be written"),
    (not_undone, "L1 .* it is compensating, and has not ended: a is to be undone"),
    (not_cancelled, "L1 .* it is compensating, and has not ended: its end is to be written"),
    (orphan_remains, "L1 .* it is cancelled, and a is not undone"),
    (letter_not_told_of, "L1 .* its dead letters 0/0/1 are not told of"),
)


@pytest.mark.parametrize("case", L1)
def test_what_is_not_at_rest_is_caught(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    caught(case, monkeypatch, journal=False)
    log = Forgery()
    case.forge(log)
    assert log.judge(rest=False, journal=False) == []


@pytest.mark.parametrize(
    ("story", "status", "now"),
    [(complete, "compensated", "completed"), (parked, "completed", "dead")],
)
def test_another_end_than_was_acknowledged_is_caught(story: object, status: str, now: str) -> None:
    log = Forgery()
    story(log)  # type: ignore[operator]
    log.judge()
    log.auditor.acknowledged("orders", "x", status)
    (found,) = log.auditor.at_rest()
    assert str(found) == f"L1 orders: x: it was to end as {status}, and is {now}"


def test_what_is_judged_twice_is_said_once() -> None:
    log = Forgery()
    endless(log)
    assert log.judge() != []
    assert log.auditor.at_rest() == []


def test_the_tally_counts_what_was_looked_at() -> None:
    log = Forgery()
    unreadable(log)
    log.judge()
    tally = log.auditor.tally
    assert (tally.instances, tally.requests, tally.facts, tally.calls) == (2, 2, 6, 2)
    assert tally.ended == {"running": 1, "completed": 1}
    assert tally.ignored == {"unreadable": 2}
    assert tally.unjudged == {"instances with a fact that this version cannot read": 1}


def test_what_began_before_the_log_begins_is_not_judged() -> None:
    log = Forgery()
    complete(log)
    truncated = Auditor({"orders": 1})
    truncated.begins(("orders.events", 0), 2)
    truncated.begins(("orders.normal", 0), 1)
    records = [told for what, told in log.story if what == "read" and told.offset > 1]
    found = [v for record in records for v in truncated.read(record)]
    assert found + truncated.at_rest() == []
    assert truncated.tally.unjudged == {
        "facts of lives that began before what the log still holds": 3
    }


def test_a_life_that_begins_behind_that_is() -> None:
    log = Forgery()
    log.fact(f.StepCompleted("former", "a", 1), source="orders/0/former")
    without_an_end(log)
    truncated = Auditor({"orders": 1})
    truncated.begins(("orders.events", 0), 1)
    records = [told for what, told in log.story if what == "read" and told.offset + 1]
    found = [v for record in records[1:] for v in truncated.read(record)]
    assert {v.letter for v in found + truncated.at_rest()} == {"L1"}
