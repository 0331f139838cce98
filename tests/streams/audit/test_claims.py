"""Rule 12: claims that end twice, early or for others are caught; a caller's work passes."""

from collections.abc import Callable

import pytest

from sagalog.schemas import facts as f
from sagalog.schemas.claims import Claim
from sagalog.schemas.definition import Definition
from sagalog.schemas.requests import Cancel, Claimed
from tests.streams.audit.catching import Case, cases, caught
from tests.streams.audit.folds import credulous, deaf
from tests.streams.audit.forgery import CUT, ERROR, RUN, TERMINAL, Forgery, spec

CRITICAL = Definition(
    "saga", "a", (spec("a", claimed=True), spec("b", after=("a",), claimed=True, exhausted="park"))
)


def claimed(log: Forgery, lease: int = 5000, *, granted: str = "ann") -> None:
    """A claim, and the life whose steps it grants."""
    log.definition = CRITICAL
    asked = log.ask(Claim("a", {"n": 1}, "f", by="ann", lease=lease, then="b"), "high")
    log.fact(log.started(asked, claim=Claimed(granted, lease)))


def all_well(log: Forgery) -> None:
    claimed(log)
    log.ask(Claim("a", {"n": 1}, "f", by="ann", then="b", done={"a": 1, "b": 2}), "high")
    log.fact(f.StepCompleted(RUN, "a", 1, 1))
    log.fact(f.StepCompleted(RUN, "b", 1, 2))
    log.fact(f.Completed(RUN))


def emergency(log: Forgery) -> None:
    claimed(log)
    log.fact(f.StepCompleted(RUN, "a", 1, 1))
    fails(log, "b")
    log.fact(f.ClaimReleased(RUN, 1))
    log.fact(f.StepCompleted(RUN, "b", 2, 2))
    log.fact(f.Completed(RUN))


def fails(log: Forgery, step: str) -> None:
    """It is to be tried again, as its policy says."""
    log.fact(f.StepFailed(RUN, step, 1, ERROR, final=False, retry_at=log.now + 110))


def failed_effect(log: Forgery) -> None:
    claimed(log)
    log.fact(f.StepFailed(RUN, "a", 1, TERMINAL, final=True))
    log.letter("a", 0, 1)
    log.fact(f.Compensated(RUN))


def unknown_effect(log: Forgery) -> None:
    claimed(log)
    log.fact(f.StepFailed(RUN, "a", 1, CUT, final=True))
    log.letter("a", 0, 1, error=CUT)
    log.fact(f.StepCompensated(RUN, "a", 1))
    log.fact(f.Compensated(RUN))


def expired(log: Forgery) -> None:
    """The pods do it; the caller's own word comes late, and changes nothing."""
    claimed(log)
    log.now += 5000
    log.fact(f.ClaimExpired(RUN, 1))
    log.fact(f.StepCompleted(RUN, "a", 2, 1))
    log.fact(f.StepCompleted(RUN, "a", 1, 1))
    log.fact(f.StepCompleted(RUN, "b", 1, 2))
    log.fact(f.Completed(RUN))


def cancelled_too_soon(log: Forgery) -> None:
    claimed(log)
    log.ask(Cancel(), "high")
    all_told(log)


def all_told(log: Forgery) -> None:
    log.fact(f.StepCompleted(RUN, "a", 1, 1))
    log.fact(f.StepCompleted(RUN, "b", 1, 2))
    log.fact(f.Completed(RUN))


@pytest.mark.parametrize("ordered", [False, True], ids=["as read", "in order"])
@pytest.mark.parametrize(
    "story",
    [all_well, emergency, failed_effect, unknown_effect, expired, cancelled_too_soon],
    ids=lambda story: story.__name__,
)
def test_what_a_caller_does_passes(story: Callable[[Forgery], None], ordered: bool) -> None:
    log = Forgery()
    story(log)
    assert [violation.text() for violation in log.judge(ordered=ordered)] == []


def expires_early(log: Forgery) -> None:
    claimed(log)
    log.fact(f.ClaimExpired(RUN, 1))
    all_told(log)


def expires_twice(log: Forgery) -> None:
    claimed(log)
    log.now += 5000
    log.fact(f.ClaimExpired(RUN, 1))
    log.fact(f.ClaimExpired(RUN, 1))


def released_by_nobody(log: Forgery) -> None:
    log.definition = CRITICAL
    log.start()
    log.fact(f.ClaimReleased(RUN, 1))


def cancelled_while_held(log: Forgery) -> None:
    claimed(log)
    log.fact(f.CancelRequested(RUN))


def tried_again_by_nobody(log: Forgery) -> None:
    claimed(log)
    fails(log, "a")


def granted_to_another(log: Forgery) -> None:
    claimed(log, granted="bob")


def never_released(log: Forgery) -> None:
    emergency(log)


@pytest.mark.parametrize(
    "case",
    cases(
        (expires_early, "S7 .* its claim expires after 10 ms, and was granted for 5000"),
        (expires_twice, "S7 .* claim 1 expires, and nobody holds it, and it counts", credulous),
        (released_by_nobody, "S7 .* claim 1 is released, and nobody holds it", credulous),
        (cancelled_while_held, "S5 .* it is cancelled while its caller runs it", credulous),
        (tried_again_by_nobody, "S6 .* a failed in its caller, and is to be tried again"),
        (granted_to_another, "S12 .* it has not the claim of the request"),
        (never_released, "S7 .* ClaimReleased is new and fits", deaf(f.ClaimReleased)),
    ),
)
def test_a_claim_that_is_not_kept_is_caught(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    caught(case, monkeypatch)
