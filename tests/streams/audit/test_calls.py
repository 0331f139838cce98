"""The handlers' journal: forged calls are caught, and those that a blow explains are not."""

import pytest

from sagalog.schemas import facts as f
from sagalog.streams.audit.blows import UNREAD
from tests.streams.audit.catching import Case, cases, caught
from tests.streams.audit.forgery import ALONE, CUT, ERROR, RUN, TERMINAL, WIDE, Forgery, letters
from tests.streams.audit.stories import compensate, complete


def computed_again(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.call("a", 2)
    log.done("b")
    log.fact(f.Completed(RUN))


def undone_again(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.failed("b")
    log.undone("a")
    log.call("a", 2, undo=1)
    log.fact(f.Compensated(RUN))


def read_and_computed(log: Forgery) -> None:
    """Whoever has read the result has no excuse, woken or not."""
    log.start()
    log.done("a")
    log.blow("thaw", 7)
    log.call("a", 2, pid=7, read=4)


def computed_behind_the_end(log: Forgery) -> None:
    complete(log)
    log.call("b", 2)


def with_another_key(log: Forgery) -> None:
    log.start()
    log.call("a", key="x:owner1-1:b")


def long_since_taken(log: Forgery) -> None:
    """By now it must have read that another took its partition."""
    log.start()
    log.take("owner2")
    log.call("a", pid=2)
    log.fact(f.StepCompleted(RUN, "a", 1))
    log.now += UNREAD
    log.call("a", 2, pid=1)


def by_who_took_it_since(log: Forgery) -> None:
    """Whoever takes the partition behind a result has read it."""
    log.start()
    log.done("a")
    log.take("owner2")
    log.call("a", 2, pid=2)


S7 = cases(
    (long_since_taken, "S7 .* attempt 2 of a by process 1 began behind its result"),
    (by_who_took_it_since, "S7 .* attempt 2 of a by process 2 began behind its result"),
    (computed_again, "S7 .* attempt 2 of a by process 1 began behind its result, .* at 2"),
    (undone_again, "S7 .* attempt 2 of undo 1 of a by process 1 began behind its result"),
    (read_and_computed, "S7 .* attempt 2 of a by process 7 began behind its result"),
    (computed_behind_the_end, "S7 .* attempt 2 of b by process 1 began behind"),
    (with_another_key, r"S7 .* a \(forward\) was called with the key x:owner1-1:b, which is not"),
)


def called_twice(log: Forgery) -> None:
    log.start()
    log.call("a")
    log.done("a")
    log.done("b")
    log.fact(f.Completed(RUN))


def others(log: Forgery) -> None:
    """Another instance, by which it is known whose handlers keep a journal."""
    log.instance, log.run = "y", "owner1-2"
    log.start()
    log.done("a")
    log.done("b")
    log.fact(f.Completed(log.run))
    log.instance, log.run = "z", "owner1-3"
    compensate(log)
    log.instance, log.run = "x", RUN


def never_called(log: Forgery) -> None:
    others(log)
    log.start()
    log.done("a")
    log.fact(f.StepCompleted(RUN, "b", 1))
    log.fact(f.Completed(RUN))


def never_undone(log: Forgery) -> None:
    others(log)
    log.start()
    log.done("a")
    log.failed("b")
    log.fact(f.StepCompensated(RUN, "a", 1))
    log.fact(f.Compensated(RUN))


def without_a_fact(log: Forgery) -> None:
    log.definition = WIDE
    log.start()
    log.call("b", effect=False)
    log.failed("a", ERROR, final=False)
    log.failed("a", TERMINAL, 2)
    log.undone("b")
    log.fact(f.Compensated(RUN))


def behind_its_failure(log: Forgery) -> None:
    log.start()
    log.failed("a", ERROR, final=False)
    log.call("a")
    log.done("a", 2)


def of_no_life(log: Forgery) -> None:
    complete(log)
    log.instance = "y"
    log.call("a")


def told_twice(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.fact(f.StepCompleted(RUN, "a", 1))
    log.done("b")
    log.fact(f.Completed(RUN))


S8 = cases(
    (called_twice, "S8 .* attempt 1 of a by process 1 was called again"),
    (never_called, "S8 .* forward b has a result of attempt 1, and was not called"),
    (never_undone, "S8 .* undo a has a result of attempt 1, and was not called"),
    (without_a_fact, "S8 .* attempt 1 of b by process 1 left no fact"),
    (behind_its_failure, "S8 .* attempt 1 of a by process 1 began behind its failure"),
    (of_no_life, "S8 .* attempt 1 of a by process 1 was called, and no life owner1-1"),
)


def too_early(log: Forgery) -> None:
    log.start()
    log.call("b")
    log.done("a")
    log.fact(f.StepCompleted(RUN, "b", 1))
    log.fact(f.Completed(RUN))


def before_it_was_read(log: Forgery) -> None:
    """The result stands in the log, and whoever goes on has not read it."""
    log.start()
    log.done("a")
    log.call("b", seen=2)


def without_its_effect(log: Forgery) -> None:
    others(log)
    log.start()
    log.done("a")
    log.call("b", effect=False)
    log.fact(f.StepCompleted(RUN, "b", 1))
    log.fact(f.Completed(RUN))


def effect_remains(log: Forgery) -> None:
    log.start()
    log.failed("a", CUT, final=False)
    log.done("a", 2)
    log.failed("b")
    log.call("a", undo=1, effect=False)
    log.fact(f.StepCompensated(RUN, "a", 1))
    log.fact(f.Compensated(RUN))


def undone_before_it_settled(log: Forgery) -> None:
    log.definition = WIDE
    log.start()
    log.call("b", effect=False)
    log.failed("a")
    log.undone("b")


def forward_behind_an_undo(log: Forgery) -> None:
    log.definition = WIDE
    log.start()
    log.done("a")
    log.fact(f.CancelRequested(RUN))
    log.undone("b")
    log.call("b", 2, pid=3)
    log.undone("a")
    log.fact(f.Cancelled(RUN))


def forward_behind_the_turn(log: Forgery) -> None:
    log.definition = WIDE
    log.start()
    log.fact(f.CancelRequested(RUN))
    log.call("b", read=3)


def completed_and_taken_back(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.call("a", undo=1)
    log.done("b")
    log.fact(f.Completed(RUN))


S2_TO_S5 = cases(
    (too_early, "S2 .* attempt 1 of b by process 1 began before a had completed"),
    (before_it_was_read, "S2 .* attempt 1 of b by process 1 began before a had completed"),
    (without_its_effect, "S2 .* it completed without the effect of b"),
    (effect_remains, "S3 .* the effect of a remains"),
    (undone_before_it_settled, "S4 .* undo 1 of b by process 1 began before attempt 1 of b"),
    (forward_behind_an_undo, "S5 .* attempt 2 of b by process 3 began behind the first undo"),
    (forward_behind_the_turn, "S5 .* attempt 1 of b by process 1 began behind the turn"),
    (completed_and_taken_back, "S5 .* undo 1 of a by process 1 began, and it has not turned back"),
    (completed_and_taken_back, "S5 .* it completed, and a was taken back"),
)


@pytest.mark.parametrize("case", [*S7, *S8, *S2_TO_S5])
def test_a_forged_call_is_caught(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    caught(case, monkeypatch)


def test_an_owner_that_told_twice_how_a_call_ended_is_caught_without_a_journal() -> None:
    log = Forgery()
    told_twice(log)
    (found,) = log.judge(journal=False)
    assert str(found).startswith("S8 orders: x: orders/0/owner1 told twice how attempt 1 of a")


def frozen(log: Forgery) -> None:
    """It wakes behind the end, and ends what it had begun."""
    log.start()
    log.call("a", pid=1, effect=False)
    log.blow("freeze", 1)
    log.take("owner2")
    log.failed("a", TERMINAL, pid=2)
    log.undone("a")
    log.fact(f.Compensated(RUN))
    log.blow("thaw", 1)
    log.call("a", pid=1)


def just_written(log: Forgery) -> None:
    """An owner begins what a former one completes in the same moment."""
    log.definition = ALONE
    log.start()
    log.call("a", pid=1, effect=False)
    log.blow("freeze", 1)
    log.take("owner2")
    log.fact(f.StepCompleted(RUN, "a", 1), source="orders/0/owner1")
    log.call("a", pid=2)
    log.fact(f.StepCompleted(RUN, "a", 1))
    log.fact(f.Completed(RUN))


def lost(log: Forgery) -> None:
    """The harness knows that another had the partition, and no clock does."""
    log.start()
    log.blow("lose", 1)
    log.take("owner2")
    log.call("a", pid=2)
    log.fact(f.StepCompleted(RUN, "a", 1))
    log.call("a", pid=1, read=2)
    log.done("b")
    log.fact(f.Completed(RUN))


def thread_goes_on(log: Forgery) -> None:
    """A plain function cannot be cut off: it has its effect when the log has given it up."""
    log.start()
    log.done("a")
    log.call("b", effect=False)
    log.fact(f.StepFailed(RUN, "b", 1, CUT, final=False, retry_at=log.now + 110))
    log.failed("b", TERMINAL, 2)
    log.undone("b")
    log.call("b", what="effect", effect=False)
    log.undone("a")
    log.fact(f.Compensated(RUN))


def taken_anew(log: Forgery) -> None:
    """A process loses its partition, which cuts its handlers off, and takes it again."""
    log.start()
    log.call("a", effect=False)
    log.fact(f.CancelRequested(RUN))
    log.take("owner2")
    log.undone("a")
    log.fact(f.Cancelled(RUN))


def outlived(log: Forgery) -> None:
    """A handler that cannot be stopped has its effect when its partition is long another's."""
    log.start()
    log.call("a", pid=1, effect=False)
    log.fact(f.CancelRequested(RUN))
    log.take("owner2")
    log.call("a", undo=1, pid=2)
    log.fact(f.StepCompensated(RUN, "a", 1))
    log.call("a", pid=1, what="effect", effect=False)
    log.fact(f.Cancelled(RUN))


def not_read_on(log: Forgery) -> None:
    """An owner has not read yet that another took its partition, and what that one did."""
    log.start()
    log.take("owner2")
    log.call("a", pid=2)
    log.fact(f.StepCompleted(RUN, "a", 1))
    log.call("a", pid=1)
    log.call("b", pid=2)
    log.fact(f.StepCompleted(RUN, "b", 1))
    log.fact(f.Completed(RUN))
    log.call("b", pid=1)


def not_read_of_the_turn(log: Forgery) -> None:
    """Nor that it was turned back."""
    log.start()
    log.done("a")
    log.take("owner2")
    log.fact(f.CancelRequested(RUN))
    for step in ("b", "a"):
        log.call(step, undo=1, pid=2)
        log.fact(f.StepCompensated(RUN, step, 1))
    log.call("b", pid=1)
    log.fact(f.Cancelled(RUN))


BLAMELESS = [
    *(frozen, just_written, lost, thread_goes_on, taken_anew, outlived),
    *(not_read_on, not_read_of_the_turn),
]


@pytest.mark.parametrize("story", BLAMELESS)
@pytest.mark.parametrize("ordered", [False, True], ids=["as read", "in order"])
def test_what_a_blow_explains_is_no_violation(story: object, ordered: bool) -> None:
    log = Forgery()
    story(log)  # type: ignore[operator]
    assert [violation.text() for violation in log.judge(ordered=ordered)] == []


def silent(log: Forgery) -> None:
    """The handler of b keeps no journal; that of a does."""
    log.start()
    log.done("a")
    log.fact(f.StepCompleted(RUN, "b", 1))
    log.fact(f.Completed(RUN))


def test_a_handler_that_keeps_no_journal_is_taken_at_its_word() -> None:
    log = Forgery()
    silent(log)
    assert log.judge() == []


@pytest.mark.parametrize("story", [complete, compensate])
def test_without_a_journal_no_call_is_missed(story: object) -> None:
    log = Forgery()
    story(log)  # type: ignore[operator]
    assert letters(log.judge(journal=False)) == set()
    assert log.auditor.tally.calls == 0
