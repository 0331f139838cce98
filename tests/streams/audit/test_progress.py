"""Progress: only of the call that is due, each report once."""

import pytest

from sagalog.schemas import facts as f
from tests.streams.audit.catching import Case, cases, caught
from tests.streams.audit.folds import credulous, deaf
from tests.streams.audit.forgery import ERROR, Forgery


def told_twice(log: Forgery) -> None:
    log.start()
    log.fact(f.StepProgressed(log.run, "a", 1, 2, 0.2))
    log.fact(f.StepProgressed(log.run, "a", 1, 2, 0.2))


def of_a_former_attempt(log: Forgery) -> None:
    log.start()
    log.failed("a", ERROR, final=False)
    log.fact(f.StepProgressed(log.run, "a", 1, 1, 0.2))


def behind_its_end(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.fact(f.StepProgressed(log.run, "a", 1, 1, 0.2))


def before_it_is_ready(log: Forgery) -> None:
    log.start()
    log.fact(f.StepProgressed(log.run, "b", 1, 1, 0.2))


def of_no_step(log: Forgery) -> None:
    log.start()
    log.fact(f.StepProgressed(log.run, "zzz", 1, 1, 0.2))


def passed_over(log: Forgery) -> None:
    log.start()
    log.fact(f.StepProgressed(log.run, "a", 1, 1, 0.2))


@pytest.mark.parametrize(
    "case",
    cases(
        (told_twice, "S11 .* a is at report 2 already, and it counts", credulous),
        (of_a_former_attempt, "S6 .* attempt 1 of a is further, and 2 is due", credulous),
        (behind_its_end, "S5 .* a is over, and is said to be further, and it counts", credulous),
        (before_it_is_ready, "S2 .* b has an outcome before a completed", credulous),
        (of_no_step, "S12 .* it has no step 'zzz', and it counts", credulous),
        (passed_over, "S11 .* StepProgressed is new and fits", deaf(f.StepProgressed)),
    ),
)
def test_it_is_caught(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    caught(case, monkeypatch)
