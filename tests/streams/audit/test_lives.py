"""S1 to S6 and S11: forged lives are caught by their facts, whatever the fold makes of them."""

from dataclasses import replace

import pytest

from sagalog.schemas import facts as f
from tests.streams.audit.catching import Case, cases, caught
from tests.streams.audit.folds import credulous, deaf, stubborn
from tests.streams.audit.forgery import ALONE, AWAY, CAREFUL, CUT, ERROR, RUN, TERMINAL, Forgery
from tests.streams.audit.stories import compensate, complete, parked


def two_ends(log: Forgery) -> None:
    complete(log)
    log.fact(f.Compensated(RUN))


def ends_twice(log: Forgery) -> None:
    compensate(log)
    log.fact(f.Compensated(RUN))


def ends_early(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.fact(f.Completed(RUN))


def ends_while_parked(log: Forgery) -> None:
    log.definition = replace(ALONE, kind="saga")
    parked_saga(log)
    log.fact(f.Compensated(RUN))


def parked_saga(log: Forgery) -> None:
    log.definition = CAREFUL
    log.start()
    log.done("a")
    for attempt in (1, 2, 3):
        log.failed("b", ERROR, attempt, final=attempt == 3)


def wrong_end(log: Forgery) -> None:
    log.start()
    log.fact(f.CancelRequested(RUN))
    log.undone("a")
    log.fact(f.Compensated(RUN))


def behind_the_end(log: Forgery) -> None:
    complete(log)
    log.fact(f.StepCompleted(RUN, "b", 2))


def fails_behind_the_end(log: Forgery) -> None:
    compensate(log)
    log.fact(f.StepFailed(RUN, "a", 1, ERROR, final=True))


def life_in_a_life(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.run = "owner1-2"
    log.start()


def never_began(log: Forgery) -> None:
    log.start()
    log.fact(f.StepCompleted("owner1-9", "a", 1))


def nothing_began(log: Forgery) -> None:
    log.fact(f.StepCompleted(RUN, "a", 1))


def left_too_early(log: Forgery) -> None:
    log.start()
    log.now += 5000
    log.fact(f.Forgotten(RUN, {}))


def left_behind(log: Forgery) -> None:
    """It was completed, and is not let go."""
    complete(log)
    log.now += 5000
    log.fact(f.Forgotten(RUN, {}))


S1 = cases(
    (two_ends, "S1 .* Compensated behind the end completed, and it counts", credulous),
    (ends_twice, "S1 .* it is compensated behind its end compensated", credulous),
    (ends_early, "S1 .* it completes before b, and it counts", credulous),
    (ends_early, "L1 .* b has no outcome"),
    (ends_while_parked, "S1 .* it is compensated though it has not turned back", credulous),
    (wrong_end, "S1 .* it is compensated and should be cancelled", credulous),
    (behind_the_end, "S1 .* StepCompleted behind the end completed", credulous),
    (fails_behind_the_end, "S1 .* a fails behind the end compensated", credulous),
    (life_in_a_life, "S1 .* another first fact, of the life owner1-2, and it counts", stubborn),
    (never_began, "S1 .* of a life owner1-9, which never began"),
    (nothing_began, "S1 .* StepCompleted of a life that never began"),
    (left_too_early, "S1 .* it is forgotten before it is over", credulous),
    (left_behind, "S10 .* Forgotten fits, and is passed over", deaf(f.Forgotten)),
    (complete, "S1 .* Completed is new and fits, and is passed over", deaf(f.Completed)),
)


def out_of_order(log: Forgery) -> None:
    log.start()
    log.done("b")
    log.done("a")
    log.fact(f.Completed(RUN))


def fails_too_early(log: Forgery) -> None:
    log.start()
    log.failed("b")


S2 = cases(
    (out_of_order, "S2 .* b has an outcome before a completed, and it counts", credulous),
    (out_of_order, "L1 .* b has no outcome"),
    (fails_too_early, "S2 .* b has an outcome before a completed", credulous),
)


def not_undone(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.failed("b")
    log.fact(f.Compensated(RUN))


def undone_though_never_done(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.failed("b")
    log.undone("b")


def undone_twice(log: Forgery) -> None:
    compensate(log)
    log.fact(f.StepCompensated(RUN, "a", 1))


def undone_of_old(log: Forgery) -> None:
    log.start()
    log.fact(f.CancelRequested(RUN))
    log.fact(f.StepCompleted(RUN, "a", 1))
    log.fact(f.StepCompensated(RUN, "a", 1))


def undone_forwards(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.failed("b", CUT, final=False)
    log.failed("b", TERMINAL, 2)
    log.undone("a")
    log.undone("b")
    log.fact(f.Compensated(RUN))


S3 = cases(
    (not_undone, "S3 .* it is compensated before a is undone, and it counts", credulous),
    (not_undone, "L1 .* a is to be undone"),
    (undone_though_never_done, "S3 .* b is undone, and it neither completed", credulous),
    (compensate, "S3 .* StepCompensated is new and fits", deaf(f.StepCompensated)),
    (undone_twice, "S11 .* undo 1 of a is told twice, and it counts", credulous),
    (undone_of_old, "S11 .* undo 1 of a is told, and undo 2 is due, and it counts", credulous),
    (undone_forwards, "S4 .* a is undone before b, which comes first, and it counts", credulous),
    (undone_forwards, "L1 .* a is to be undone"),
)


def completes_though_turned(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.fact(f.CancelRequested(RUN))
    log.fact(f.Completed(RUN))


def undone_though_running(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.undone("a")


def cancelled_too_late(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.done("b")
    log.fact(f.CancelRequested(RUN))


def another_deadline(log: Forgery) -> None:
    log.start(deadline=2_000_000)
    log.fact(f.DeadlinePassed(RUN, 1_000_000))


def fails_behind_the_turn(log: Forgery) -> None:
    log.start()
    log.fact(f.CancelRequested(RUN))
    log.fact(f.StepFailed(RUN, "a", 1, ERROR, final=True))


def asked_to_cancel(log: Forgery) -> None:
    log.start()
    log.fact(f.CancelRequested(RUN))


S5 = cases(
    (completes_though_turned, "S5 .* it completes though it has turned back", credulous),
    (undone_though_running, "S5 .* a is undone, and it has not turned back", credulous),
    (cancelled_too_late, "S5 .* it is cancelled though its last step has completed", credulous),
    (another_deadline, "S5 .* a deadline of 1000000 passes, and it has 2000000", credulous),
    (fails_behind_the_turn, "S5 .* a fails behind the turn, and it counts", credulous),
    (asked_to_cancel, "S5 .* CancelRequested is new and fits", deaf(f.CancelRequested)),
)


def too_often(log: Forgery) -> None:
    log.start()
    for attempt in (1, 2, 3):
        log.failed("a", ERROR, attempt, final=False)


def too_seldom(log: Forgery) -> None:
    log.start()
    log.failed("a", ERROR, 1, final=False)
    log.failed("a", ERROR, 2)


def again_for_good(log: Forgery) -> None:
    log.start()
    log.failed("a", TERMINAL, final=False)


def counted_though_away(log: Forgery) -> None:
    log.start()
    log.fact(f.StepFailed(RUN, "a", 1, AWAY, final=False, retry_at=log.now + 110, counted=True))


def away_for_too_long(log: Forgery) -> None:
    log.start()
    log.failed("a", AWAY, final=False)
    log.now += 1100
    log.failed("a", AWAY, 2, final=False)


def too_soon(log: Forgery) -> None:
    log.start()
    log.fact(f.StepFailed(RUN, "a", 1, ERROR, final=False, retry_at=log.now + 60))


def stale_attempt(log: Forgery) -> None:
    log.start()
    log.failed("a", ERROR, 1, final=False)
    log.fact(f.StepFailed(RUN, "a", 1, ERROR, final=False, retry_at=log.now + 110))


def attempt_missing(log: Forgery) -> None:
    log.start()
    log.fact(f.StepFailed(RUN, "a", 2, ERROR, final=False, retry_at=log.now + 110))


def never_tried(log: Forgery) -> None:
    log.start()
    log.done("a", 3)


def released_while_running(log: Forgery) -> None:
    log.start()
    log.fact(f.StepReleased(RUN, "a", "retry", 1))


def released_elsewhere(log: Forgery) -> None:
    parked_saga(log)
    log.fact(f.StepReleased(RUN, "b", "retry", 1))


def undo_too_often(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.failed("b")
    for attempt in (1, 2, 3):
        log.not_undone("a", attempt, ERROR, final=False)


def undo_fails_twice(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.failed("b")
    log.not_undone("a", 1, ERROR, final=False)
    log.fact(f.CompensationFailed(RUN, "a", 1, 1, ERROR, final=False, retry_at=log.now + 110))


S6 = cases(
    (too_often, "S6 .* a is tried again after error, and 3 of 3 attempts are spent"),
    (too_seldom, "S6 .* a gives up after error, and 2 of 3 attempts are spent"),
    (again_for_good, "S6 .* a is tried again after terminal"),
    (counted_though_away, "S6 .* a was unavailable, and counts as 1 attempts"),
    (away_for_too_long, "S6 .* a is tried again after unavailable"),
    (too_soon, "S6 .* a waits for 50 ms, and its policy says 100 ms"),
    (stale_attempt, "S6 .* attempt 1 of a fails, and that is over, and it counts", credulous),
    (attempt_missing, "S6 .* attempt 2 of a fails, and attempt 1 is due, and it counts", credulous),
    (never_tried, "S6 .* attempt 3 of a completes, and no more than 1 was due"),
    (released_while_running, "S6 .* a is released, and nobody is waited for", credulous),
    (released_elsewhere, r"S6 .* b is released at \(0, 1\), and waits at \(0, 3\)", credulous),
    (undo_too_often, "S6 .* the undo of a is tried again after error, and 3 of 3"),
    (undo_fails_twice, "S6 .* attempt 1 to undo a fails, and attempt 2 is due", credulous),
    (parked, "S6 .* StepFailed is new and fits, and is passed over", deaf(f.StepFailed)),
)


def completes_twice(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.fact(f.StepCompleted(RUN, "a", 1))


def of_a_former_life(log: Forgery) -> None:
    complete(log)
    log.now += 5000
    log.fact(f.Forgotten(RUN, {"normal": 1}))
    log.run = "owner1-2"
    log.start()
    log.fact(f.StepCompleted(RUN, "a", 1))


def cancelled_twice(log: Forgery) -> None:
    log.start()
    log.fact(f.CancelRequested(RUN))
    log.fact(f.CancelRequested(RUN))


def of_another_id(log: Forgery) -> None:
    log.start()
    log.fact(f.StepCompleted(RUN, "a", 1), id="random")


S11 = cases(
    (completes_twice, "S11 .* a completes twice, and it counts", credulous),
    (of_a_former_life, "S11 .* StepCompleted of the life owner1-1, and it counts", credulous),
    (cancelled_twice, "S11 .* it is cancelled though it has turned back already", credulous),
    (of_another_id, "S11 .* the id random does not follow from the fact"),
    (complete, "S7 .* StepCompleted is new and fits", deaf(f.StepCompleted)),
    (complete, "S11 .* a first fact is passed over", deaf(f.Started)),
)


@pytest.mark.parametrize("case", [*S1, *S2, *S3, *S5, *S6, *S11])
def test_a_forged_life_is_caught(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    caught(case, monkeypatch, journal=False)


def test_a_violation_shows_the_timeline_and_the_place() -> None:
    log = Forgery()
    too_seldom(log)
    (found,) = [one for one in log.judge(rest=False) if one.letter == "S6"]
    assert [str(place) for place in found.places] == ["orders.events/0/3"]
    assert found.instance == "x"
    assert [line.split()[2] for line in found.timeline] == ["Started", "StepFailed", "StepFailed"]
    assert found.text().startswith("S6 orders: x: a gives up")


def test_a_fact_that_comes_late_is_counted_by_its_kind() -> None:
    log = Forgery()
    complete(log)
    for late in (f.StepCompleted(RUN, "b", 1), f.Completed(RUN), f.Completed("another")):
        log.fact(late, source="somebody")
    assert log.judge() == []
    assert log.auditor.tally.ignored == {"stale": 1, "repeated": 1, "of another life": 1}
