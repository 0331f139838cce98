"""S9: one dead letter for each final failure and each poison record, and it is whole."""

import pytest

from sagalog.schemas import facts as f
from tests.streams.audit.catching import Case, cases, caught
from tests.streams.audit.folds import credulous, deaf
from tests.streams.audit.forgery import ERROR, RUN, TERMINAL, Forgery


def no_letter(log: Forgery) -> None:
    log.start()
    log.fact(f.StepFailed(RUN, "a", 1, TERMINAL, final=True))
    log.fact(f.DeadLettered(RUN, "0/0/1"))


def no_letter_of_an_undo(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.failed("b")
    log.fact(f.CompensationFailed(RUN, "a", 1, 1, TERMINAL, final=True))


def another_error(log: Forgery) -> None:
    log.start()
    log.fact(f.StepFailed(RUN, "a", 1, TERMINAL, final=True))
    log.letter("a", 0, 1, error=ERROR)


def another_attempt(log: Forgery) -> None:
    log.start()
    log.fact(f.StepFailed(RUN, "a", 1, TERMINAL, final=True))
    log.letter("a", 0, 1, attempts=3)


def of_no_failure(log: Forgery) -> None:
    log.start()
    log.letter("a", 0, 1)


def told_of_twice(log: Forgery) -> None:
    log.start()
    log.failed("a")
    log.fact(f.DeadLettered(RUN, "0/0/1"))


def poison_without(log: Forgery) -> None:
    log.put("normal", b"no json", b"k")


def bad_fact_without(log: Forgery) -> None:
    log.put("events", b"no json", b"k")


def other_bytes(log: Forgery) -> None:
    log.poisoned(log.put("normal", b"no json", b"k"), value=b"no  json")


def other_headers(log: Forgery) -> None:
    log.poisoned(log.put("normal", b"no json", b"k"), headers=(("a", b"b"),))


def refused_with_other_bytes(log: Forgery) -> None:
    log.poisoned(log.ask(log.request()), key=b"another")


S9 = cases(
    (no_letter, "S9 .* no dead letter of a, attempt 1"),
    (no_letter_of_an_undo, "S9 .* no dead letter of a, attempt 1"),
    (another_error, "S9 .* the dead letter of a says ValueError: planted, and it was Terminal"),
    (another_attempt, r"S9 .* a dead letter tells of \('s', 'a', 'forward', 0, 3\)"),
    (of_no_failure, "S9 .* a dead letter of a, and no failure of it is in the log"),
    (told_of_twice, "S9 .* the dead letter 0/0/1 is told of, and none is due", credulous),
    (poison_without, "S9 .* no dead letter of the record orders.normal/0/0"),
    (bad_fact_without, "S9 .* no dead letter of the record orders.events/0/1"),
    (other_bytes, "S9 .* the dead letter of orders.normal/0/0 is not that record"),
    (other_headers, "S9 .* the dead letter of orders.normal/0/0 is not that record"),
    (refused_with_other_bytes, "S9 .* the dead letter of orders.normal/0/0 is not that record"),
    (another_error, "S9 .* DeadLettered is new and fits", deaf(f.DeadLettered)),
)


@pytest.mark.parametrize("case", S9)
def test_a_forged_dead_letter_is_caught(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    caught(case, monkeypatch, journal=False)


def test_a_letter_that_stands_twice_is_one() -> None:
    log = Forgery()
    log.start()
    log.failed("a")
    log.fact(f.Compensated(RUN))
    copy = next(told for what, told in log.story if what == "read" and "letters" in told.topic)
    log.put("deadletters", copy.value, copy.key)
    assert log.judge() == []
    assert log.auditor.tally.letters == 1


def test_in_order_a_letter_stands_before_the_fact_that_tells_of_it() -> None:
    log = Forgery()
    no_letter(log)
    said = [str(violation) for violation in log.judge(ordered=True, rest=False)]
    assert said[0].startswith("S9 orders: x: the dead letter 0/0/1 is told of before it is there")


def test_letters_that_the_log_holds_no_more_are_not_judged() -> None:
    log = Forgery()
    log.story.insert(0, ("begins", None))
    no_letter(log)
    log.story[0] = ("begins", (("orders.deadletters", 0), 5))
    found = log.judge()
    assert "S9" not in {violation.letter for violation in found}
    assert sum(log.auditor.tally.unjudged.values()) == 1
