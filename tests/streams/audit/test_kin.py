"""Rule 10: what parents and children say of each other."""

from typing import Any

import pytest

from sagalog.schemas import facts as f
from tests.streams.audit.catching import Case, cases, caught
from tests.streams.audit.folds import credulous, deaf
from tests.streams.audit.forgery import ABROAD, CHILD, PARENT, RUN, TERMINAL, Forgery
from tests.streams.audit.stories_of_children import (
    HERE,
    THERE,
    child_undone,
    family,
    sent,
    told,
    undo_there,
)


def given(log: Forgery, **fields: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"fingerprint": f"{RUN}/b", "retention": 1000, "parent": PARENT}
    return {**usual, **fields}


def ready(log: Forgery) -> int:
    """The parent's step is ready; since when."""
    log.definition = ABROAD
    log.start()
    log.done("a")
    return log.now


def other_input(log: Forgery) -> None:
    since = ready(log)
    with log.there():
        fields = given(log, input={"n": 9})
        log.fact(
            log.started(log.ask(log.request(**fields, cause_time=since), source=HERE), **fields)
        )


def other_cause(log: Forgery) -> None:
    since = ready(log)
    with log.there():
        log.ask(log.request(**given(log), cause_time=since + 1), source=HERE)


def other_id(log: Forgery) -> None:
    ready(log)
    with log.there():
        log.instance = "child"
        log.fact(log.started(log.ask(log.request(**given(log))), **given(log)))


def not_wanted_yet(log: Forgery) -> None:
    log.definition = ABROAD
    log.start()
    with log.there():
        log.fact(log.started(log.ask(log.request(**given(log))), **given(log)))


def parent_never_was(log: Forgery) -> None:
    with log.there():
        log.fact(log.started(log.ask(log.request(**given(log))), **given(log)))


def result_from_nowhere(log: Forgery) -> None:
    ready(log)
    with log.there():
        pass
    log.fact(f.StepCompleted(RUN, "b", 1), source=THERE)


def other_result(log: Forgery) -> None:
    sent(log)
    with log.there():
        log.done("bill", result={"receipt": 7})
        log.fact(f.Completed(log.run))
    log.fact(f.StepCompleted(RUN, "b", 1, {"receipt": 8}), source=THERE)


def told_of_no_end(log: Forgery) -> None:
    sent(log)
    log.fact(f.StepCompleted(RUN, "b", 1, {"receipt": 7}), source=THERE)


def told_of_no_failure(log: Forgery) -> None:
    sent(log)
    log.fact(f.StepFailed(RUN, "b", 1, TERMINAL, final=True), source=THERE)


def told_of_no_undo(log: Forgery) -> None:
    told(log)
    log.failed("c")
    log.fact(f.StepCompensated(RUN, "b", 1), source=THERE)


def tried_again_from_here(log: Forgery) -> None:
    sent(log)
    log.fact(f.StepFailed(RUN, "b", 1, TERMINAL, final=False), source=THERE)


BIRTHS = cases(
    (other_input, "S12 .* it has not the input that its parent x gave it"),
    (other_cause, "S12 .* a request for b names .* as its cause"),
    (other_id, "S12 .* its id does not follow from its parent's run"),
    (not_wanted_yet, "S2 .* its parent x did not want b run"),
    (parent_never_was, "S12 .* its parent x of the life owner1-1 never was"),
)
OUTCOMES = cases(
    (result_from_nowhere, f"S12 .* b ran elsewhere, and there is no instance {CHILD} of it"),
    (other_result, "S12 .* b has another result than its child"),
    (told_of_no_end, "S12 .* b completed by what its log says, and its child is running"),
    (told_of_no_failure, "S12 .* b failed by what its log says, and its child is running"),
    (told_of_no_undo, "S3 .* b is undone by what its log says, and its child is completed"),
    (tried_again_from_here, "S6 .* b runs elsewhere, and is to be tried again from here"),
)


def says_too_much(log: Forgery) -> None:
    sent(log)
    with log.there():
        log.fact(f.OutcomeDelivered(log.run, "completed"))


def says_otherwise(log: Forgery) -> None:
    sent(log)
    with log.there():
        log.done("bill")
        log.fact(f.Completed(log.run))
        log.fact(f.OutcomeDelivered(log.run, "failed"))


def says_twice(log: Forgery) -> None:
    family(log)
    with log.there():
        log.fact(f.OutcomeDelivered(log.run, "completed"))


def undone_unasked(log: Forgery) -> None:
    told(log)
    with log.there():
        log.fact(f.OutcomeDelivered(log.run, "compensated", 1))


def asked_twice(log: Forgery) -> None:
    child_undone(log)
    with log.there():
        log.fact(f.CompensationRequested(log.run, 1))


DELIVERIES = cases(
    (says_too_much, "S1 .* its parent was told completed, and it is running"),
    (says_otherwise, "S1 .* its parent was told failed, and it is completed"),
    (says_twice, "S11 .* its parent is told completed twice, and it counts", credulous),
    (undone_unasked, "S3 .* its parent was told compensated of undo 1, never asked for"),
    (asked_twice, "S11 .* undo 1 is asked for twice by its parent, and it counts", credulous),
    (child_undone, "S3 .* CompensationRequested is new", deaf(f.CompensationRequested)),
)


def child_stays(log: Forgery) -> None:
    """The parent has turned back, its child has not."""
    told(log)
    log.failed("c")
    log.fact(f.StepCompensated(RUN, "b", 1), source="somebody")
    log.undone("a")
    log.fact(f.Compensated(RUN))


def child_gone(log: Forgery) -> None:
    """The parent has completed, and its child is undone."""
    family(log)
    undo_there(log)


ENDS = cases(
    (child_stays, "S3 .* it is compensated, and its child for b is completed"),
    (child_gone, "S3 .* it is completed, and its child for b is compensated"),
)


@pytest.mark.parametrize("case", [*BIRTHS, *OUTCOMES, *DELIVERIES, *ENDS])
def test_a_family_that_disagrees_is_caught(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    caught(case, monkeypatch, journal=False)


def parent_not_told(log: Forgery) -> None:
    sent(log)
    with log.there():
        log.done("bill")
        log.fact(f.Completed(log.run))


def test_a_parent_that_never_hears_is_caught_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "L1 pay: .* it is completed, and its parent does not know"
    caught(Case(parent_not_told, said), monkeypatch, journal=False)


def test_a_step_of_an_app_that_is_not_audited_is_not_judged() -> None:
    log = Forgery()
    ready(log)
    log.fact(f.StepCompleted(RUN, "b", 1, {"receipt": 7}), source=THERE)
    log.done("c")
    log.fact(f.Completed(RUN))
    assert log.judge() == []
