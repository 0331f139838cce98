"""The audit finds what it is there to find: one forged history for each, and a true one passes."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sagalog.engine import App, Retry, step
from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.ids import child_id
from sagalog.schemas.record import Record
from sagalog.schemas.requests import Parent
from tests.recovery.audit import across, audit, duplicates, histories
from tests.recovery.crew import Blow
from tests.recovery.journal import Line

RUN = "r1"
ERROR = f.Failure("terminal", "Terminal", "planted")
CUT = f.Failure("timeout", "Timeout", "planted")


class Forgery:
    """A history that is written by hand: facts with their times, and lines of the journal."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.lines: list[Line] = []
        self.blows: list[Blow] = []
        self.now = 1_000
        app, steps = App("orders"), []
        for name in ("a", "b"):

            async def handler() -> None: ...

            back = app.operation(name=f"un{name}")(handler)
            steps.append(step(app.operation(name=name, undo=back, retry=Retry())(handler)))
        self.definition = app.saga("s", *steps).definition

    def fact(self, fact: Any, instance: str = "x") -> None:
        self.now += 10
        owner = fact.owner if isinstance(fact, f.Taken) else instance
        _, value = codec.encode_fact(fact, source="o", subject=owner, now=self.now)
        record = Record("e", 0, len(self.records), self.now, owner.encode(), value)
        self.records.append(record)

    def start(self, run: str = RUN) -> None:
        self.fact(f.Started(run, self.definition, None, "f", "normal", 0, 1000))

    def call(
        self,
        name: str,
        attempt: int = 1,
        *,
        pid: int = 1,
        phase: str = "forward",
        effect: bool = True,
    ) -> None:
        """One call, and its effect."""
        for what in ("begin", "effect")[: 1 + effect]:
            self.now += 10
            key = f"{name}:{phase}"
            line = Line(what, self.now, pid, name, "x", name, phase, attempt, key)  # type: ignore[arg-type]
            self.lines.append(line)

    def done(self, name: str, attempt: int = 1) -> None:
        self.call(name, attempt)
        self.fact(f.StepCompleted(RUN, name, attempt))

    def undone(self, name: str) -> None:
        self.call(name, phase="undo")
        self.fact(f.StepCompensated(RUN, name, 1))

    def failed(
        self, name: str, error: f.Failure = ERROR, attempt: int = 1, *, final: bool = True
    ) -> None:
        self.call(name, attempt, effect=error is CUT)
        self.fact(f.StepFailed(RUN, name, attempt, error, final))

    def violations(self, expected: type[Any]) -> list[str]:
        return audit(histories(self.records, self.lines), {"x": expected}, self.blows)


@pytest.fixture
def forgery() -> Forgery:
    return Forgery()


def complete(forgery: Forgery) -> None:
    forgery.start()
    forgery.done("a")
    forgery.done("b")
    forgery.fact(f.Completed(RUN))


def compensate(forgery: Forgery) -> None:
    forgery.start()
    forgery.done("a")
    forgery.failed("b", CUT)
    forgery.undone("b")
    forgery.undone("a")
    forgery.fact(f.Compensated(RUN))


def test_true_histories_pass(forgery: Forgery) -> None:
    complete(forgery)
    assert forgery.violations(f.Completed) == []
    other = Forgery()
    compensate(other)
    assert other.violations(f.Compensated) == []


def test_a_call_that_a_kill_cut_short_may_be_repeated(forgery: Forgery) -> None:
    forgery.start()
    forgery.call("a", pid=1)
    forgery.blows.append(Blow("kill", 1, forgery.now + 5))
    forgery.now += 10
    forgery.call("a", pid=2)
    forgery.fact(f.StepCompleted(RUN, "a", 1))
    forgery.done("b")
    forgery.fact(f.Completed(RUN))
    assert forgery.violations(f.Completed) == []
    assert duplicates(forgery.lines) == 1


def test_a_step_that_failed_behind_a_take_is_undone_as_perhaps_done(forgery: Forgery) -> None:
    forgery.start()
    forgery.done("a")
    forgery.fact(f.Taken("owner2"))
    forgery.failed("b")
    forgery.undone("b")
    forgery.undone("a")
    forgery.fact(f.Compensated(RUN))
    assert forgery.violations(f.Compensated) == []


def lost(forgery: Forgery) -> None:
    forgery.fact(f.Completed("other"), instance="y")
    forgery.records.clear()


def endless(forgery: Forgery) -> None:
    forgery.start()
    forgery.done("a")


def two_ends(forgery: Forgery) -> None:
    complete(forgery)
    forgery.fact(f.Compensated(RUN))


def wrong_end(forgery: Forgery) -> None:
    compensate(forgery)


def two_lives(forgery: Forgery) -> None:
    complete(forgery)
    forgery.start("r2")


def behind_the_end(forgery: Forgery) -> None:
    complete(forgery)
    forgery.fact(f.StepCompleted(RUN, "b", 2))


def out_of_order(forgery: Forgery) -> None:
    forgery.start()
    forgery.done("b")
    forgery.done("a")
    forgery.fact(f.Completed(RUN))


def skipped(forgery: Forgery) -> None:
    forgery.start()
    forgery.done("b")
    forgery.fact(f.Completed(RUN))


def too_often(forgery: Forgery) -> None:
    forgery.start()
    for attempt in range(1, 5):
        forgery.failed("a", attempt=attempt, final=False)
    forgery.done("a", 5)
    forgery.done("b")
    forgery.fact(f.Completed(RUN))


def attempt_missing(forgery: Forgery) -> None:
    forgery.start()
    forgery.failed("a", attempt=2, final=False)
    forgery.done("a", 3)
    forgery.done("b")
    forgery.fact(f.Completed(RUN))


def undone_forwards(forgery: Forgery) -> None:
    forgery.start()
    forgery.done("a")
    forgery.failed("b", CUT)
    forgery.undone("a")
    forgery.undone("b")
    forgery.fact(f.Compensated(RUN))


def not_undone(forgery: Forgery) -> None:
    forgery.start()
    forgery.done("a")
    forgery.failed("b")
    forgery.fact(f.Compensated(RUN))


def undone_though_never_done(forgery: Forgery) -> None:
    forgery.start()
    forgery.done("a")
    forgery.failed("b")
    forgery.undone("b")
    forgery.undone("a")
    forgery.fact(f.Compensated(RUN))


def completed_and_undone(forgery: Forgery) -> None:
    forgery.start()
    forgery.done("a")
    forgery.done("b")
    forgery.undone("a")
    forgery.fact(f.Completed(RUN))


def effect_remains(forgery: Forgery) -> None:
    compensate(forgery)
    forgery.now += 100
    forgery.lines.append(Line("effect", forgery.now, 1, "a", "x", "a", "forward", 1, "a:forward"))


def without_effect(forgery: Forgery) -> None:
    complete(forgery)
    forgery.lines = [line for line in forgery.lines if (line.what, line.step) != ("effect", "b")]


def computed_again(forgery: Forgery) -> None:
    complete(forgery)
    forgery.call("a", attempt=2)


def called_twice(forgery: Forgery) -> None:
    forgery.start()
    forgery.call("a")
    forgery.done("a")
    forgery.done("b")
    forgery.fact(f.Completed(RUN))


def never_called(forgery: Forgery) -> None:
    complete(forgery)
    forgery.lines = [line for line in forgery.lines if line.step != "b"]


@pytest.mark.parametrize(
    ("forge", "letter"),
    [
        (lost, "L1 lost"),
        (endless, "L1 no end"),
        (two_ends, "S1 ends as"),
        (wrong_end, "S1 ends as"),
        (two_lives, "S1 two lives"),
        (behind_the_end, "S1 StepCompleted behind the end"),
        (out_of_order, "S2 b before a"),
        (skipped, "S2 b before a"),
        (too_often, "S6 4 attempts of a"),
        (attempt_missing, r"S6 attempts \[2\] of a"),
        (undone_forwards, "S3/S4"),
        (not_undone, "S3/S4"),
        (undone_though_never_done, "S3/S4"),
        (completed_and_undone, "S5"),
        (effect_remains, "S3 the effect of a remains"),
        (without_effect, "S2 completed without the effects of"),
        (computed_again, "S7 forward a begun"),
        (called_twice, "S8 a:forward, attempt 1, was called again"),
        (never_called, "S8 a result without a call: forward b"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_forged_history_is_caught(
    forgery: Forgery, forge: Callable[[Forgery], None], letter: str
) -> None:
    forge(forgery)
    violations = forgery.violations(f.Completed)
    assert any(re.match(letter, violation) for violation in violations), violations


@pytest.mark.parametrize(("child_ends", "whole"), [(f.Completed, False), (f.Compensated, True)])
def test_a_child_that_stays_while_its_parent_turned_back_is_caught(
    child_ends: type[Any], whole: bool
) -> None:
    forgery = Forgery()
    steps = (replace(forgery.definition.steps[0], spread=True), forgery.definition.steps[1])
    forgery.definition = replace(forgery.definition, steps=steps)
    forgery.start()
    forgery.fact(f.Compensated(RUN))
    child = child_id(RUN, "a")
    parent = Parent("orders", 0, "x", RUN, "a")
    forgery.fact(
        f.Started("c", forgery.definition, None, "f", "normal", 1, 1000, parent=parent), child
    )
    forgery.fact(child_ends("c"), child)
    found = histories(forgery.records, [])
    violations = across({"x": found["x"]}, found)
    assert (violations == []) is whole
