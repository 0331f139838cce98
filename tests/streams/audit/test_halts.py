"""S14: a call that begins though its caller has read that its operation is held."""

import pytest

from sagalog.engine.pauses import Held, Pause, Pauses
from sagalog.engine.position import Mark, Position
from sagalog.schemas import facts as f
from sagalog.schemas.codec import encode_fact
from sagalog.schemas.pauses import PAUSES, BreakerClosed, BreakerOpened, Paused, PauseFact, Resumed
from tests.streams.audit.catching import Case, cases, caught
from tests.streams.audit.forgery import ALONE, RUN, Forgery

PAUSE, RESUME = Paused("p", "a"), Resumed("r", "a")


def hold(log: Forgery, fact: PauseFact) -> int:
    """A pause, or its end; the offset behind it."""
    _, value = encode_fact(fact, source="ann", subject=PAUSES, now=log.now)
    return log.put("events", value, PAUSES.encode()).offset + 1


def called(log: Forgery, read: int, seen: int = -1) -> None:
    """The only step is called by somebody who had read so far, and completes."""
    log.definition = ALONE
    log.start()
    log.call("a", read=read, seen=max(read, seen))
    log.fact(f.StepCompleted(RUN, "a", 1))
    log.fact(f.Completed(RUN))


def while_paused(log: Forgery) -> None:
    called(log, hold(log, PAUSE))


def behind_a_second_pause(log: Forgery) -> None:
    hold(log, PAUSE)
    hold(log, RESUME)
    called(log, hold(log, PAUSE))


def before_the_probe(log: Forgery) -> None:
    called(log, hold(log, BreakerOpened("a", 1, log.now + 10_000)))


def though_a_probe_is_due(log: Forgery) -> None:
    """A person's pause holds the probe too."""
    hold(log, BreakerOpened("a", 1, 1))
    called(log, hold(log, PAUSE))


@pytest.mark.parametrize(
    "case",
    cases(
        (while_paused, "S14 .* attempt 1 of a by process 1 began, and a was held"),
        (behind_a_second_pause, "S14 .* began, and a was held"),
        (before_the_probe, "S14 .* began, and a was held"),
        (though_a_probe_is_due, "S14 .* began, and a was held"),
    ),
)
def test_a_call_of_what_is_held_is_caught(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    caught(case, monkeypatch)


def of_another(log: Forgery) -> None:
    called(log, hold(log, Paused("p", "b")))


def of_a_lane(log: Forgery) -> None:
    """What was taken in goes on."""
    called(log, hold(log, Paused("p", lane="normal")))


def not_read_yet(log: Forgery) -> None:
    called(log, hold(log, PAUSE) - 1)


def perhaps_resumed(log: Forgery) -> None:
    read = hold(log, PAUSE)
    called(log, read, seen=hold(log, RESUME))


def resumed(log: Forgery) -> None:
    hold(log, PAUSE)
    called(log, hold(log, RESUME))


def the_probe(log: Forgery) -> None:
    called(log, hold(log, BreakerOpened("a", 1, log.now - 1)))


def closed(log: Forgery) -> None:
    hold(log, BreakerOpened("a", 1, log.now + 10_000))
    called(log, hold(log, BreakerClosed("a", 1)))


def nobody_knows(log: Forgery) -> None:
    """Of a journal that does not say what was read nothing can be said."""
    hold(log, PAUSE)
    called(log, -1)


@pytest.mark.parametrize(
    "story",
    [
        of_another,
        of_a_lane,
        not_read_yet,
        perhaps_resumed,
        resumed,
        the_probe,
        closed,
        nobody_knows,
    ],
)
@pytest.mark.parametrize("ordered", [False, True], ids=["as read", "in order"])
def test_all_others_are_blameless(story: object, ordered: bool) -> None:
    log = Forgery()
    story(log)  # type: ignore[operator]
    assert [violation.text() for violation in log.judge(ordered=ordered)] == []


def checkpointed(log: Forgery, pauses: Pauses | None) -> None:
    """A checkpoint with this row behind a pause that was stamped then."""
    mark = Mark(log.offsets["orders.events", 0], 0, {})
    rows = [] if pauses is None else [pauses.row()]
    log.checkpoint(Position(mark).row(), *rows)


@pytest.mark.parametrize("kept", [None, Pauses(), Pauses({"b": Held(Pause(1))})])
def test_a_row_that_says_something_else_is_caught(kept: Pauses | None) -> None:
    log = Forgery()
    hold(log, PAUSE)
    checkpointed(log, kept)
    assert [str(v) for v in log.judge(ordered=True) if "hold" in str(v)] != []


def test_the_true_row_is_blameless() -> None:
    log = Forgery()
    hold(log, Paused("p", "a", reason="down", by="ann"))
    checkpointed(log, Pauses({"a": Held(Pause(log.now, "down", "ann"))}))
    assert log.judge(ordered=True) == []
