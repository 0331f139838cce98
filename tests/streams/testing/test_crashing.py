"""`crash_everywhere`: what it finds, how it says so, and what a test must be for it."""

import asyncio
import random
from collections.abc import Callable
from time import process_time

import pytest

from sagalog.engine import Context, Terminal
from sagalog.engine.folding import Folding
from sagalog.engine.partition import Partition
from sagalog.streams.testing import CrashFound, Stage, Stalled, crash_everywhere
from sagalog.streams.testing.boundaries import Boundary
from sagalog.streams.testing.crashing import Session
from tests.streams.testing.shop import (
    Order,
    a_completed_order,
    anew,
    app,
    charge,
    check,
    mail,
    place_order,
    refund,
)


def boundaries(test: Callable[[], None]) -> list[Boundary]:
    """Run a test everywhere; where that was."""
    session = Session()
    for plan in session.plans():
        with session.playing(plan):
            test()
    return session.boundaries


def into(taken: list[int]) -> Callable[[Order], str]:
    """A bank that looks at no key."""

    def take(order: Order) -> str:
        taken.append(order.cents)
        return "receipt"

    return take


def test_each_thing_that_a_pod_writes_is_a_boundary_three_times() -> None:
    began = process_time()
    found = boundaries(a_completed_order)
    took = process_time() - began
    said = [str(boundary) for boundary in found]
    assert said[3] == "before Started on orders.events/0 landed"
    assert said[7] == "after StepCompleted reserve on orders.events/0 landed, unheard"
    assert said[14] == (
        "after StepCompleted mail, Completed on orders.events/0 landed and was acknowledged"
    )
    assert [boundary.number for boundary in found] == list(range(1, len(found) + 1))
    assert len(found) == 21
    assert len(found) / took > 50


def test_a_handler_that_waits_is_killed_meanwhile() -> None:
    calls: list[str] = []

    async def half_way() -> None:
        calls.append("first half")
        await asyncio.sleep(1)
        calls.append("second half")

    def test() -> None:
        calls.clear()
        with Stage(app) as stage:
            stage.replace(mail, half_way)
            stage.run(place_order, Order(), key="order-1")
        seen.append(list(calls))

    seen: list[list[str]] = []
    said = [str(boundary) for boundary in boundaries(test)]
    assert "while mail (place-order order-1, attempt 1) waited for something" in said
    assert ["first half", "first half", "second half"] in seen


def test_a_checkpoint_is_a_boundary() -> None:
    def test() -> None:
        anew()
        with Stage(app) as stage:
            stage.hang(mail, for_="5s")
            stage.run(place_order, Order())

    said = [str(boundary) for boundary in boundaries(test)]
    assert "after a checkpoint of orders.tables/0 landed, unheard" in said


def test_a_handler_that_is_not_idempotent_is_found() -> None:
    @crash_everywhere
    def test() -> None:
        taken: list[int] = []
        with Stage(app) as stage:
            stage.replace(charge, into(taken))
            assert stage.run(place_order, Order(), key="order-1").status == "completed"
            assert sum(taken) == 500

    with pytest.raises(AssertionError) as raised:
        test()
    assert "assert 1000 == 500" in str(raised.value)
    timeline, where = raised.value.__notes__
    assert "new owner" in timeline
    assert "with the pod killed at boundary 10 of 21" in where
    assert "before StepCompleted charge on orders.events/0 landed, the test failed" in where
    assert "Only this run: @crash_everywhere(only=10)" in where


def test_an_undo_that_cannot_bear_a_step_that_never_happened_is_found() -> None:
    @crash_everywhere
    def test() -> None:
        charged: set[str] = set()

        def take_back(order: Order, ctx: Context) -> None:
            charged.remove(ctx.instance)

        with Stage(app) as stage:
            stage.fail(charge, Terminal("declined"))
            stage.replace(refund, take_back)
            assert stage.run(place_order, Order()).status == "compensated"

    with pytest.raises(AssertionError, match="stuck"):
        test()


def test_one_boundary_is_run_alone() -> None:
    runs: list[int] = []

    def test() -> None:
        runs.append(1)
        a_completed_order()

    crash_everywhere(test, only=10)()
    assert len(runs) == 3
    with pytest.raises(CrashFound, match="there is no boundary 99: the test has 21"):
        crash_everywhere(test, only=99)()


def test_an_owner_that_forgets_the_log_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    restore = Partition.restore

    def at_the_end(self: Partition, rows: dict[bytes, bytes], start: int, end: int) -> int:
        restore(self, rows, start, end)
        return end

    monkeypatch.setattr(Partition, "restore", at_the_end)
    with pytest.raises(CrashFound, match="with the pod killed at boundary"):
        boundaries(a_completed_order)


def test_an_owner_that_believes_only_itself_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """It calls again what another owner's facts have completed."""
    fold_fact = Folding._fold_fact

    def only_own(self: Folding, message: object, record: object) -> None:
        theirs = message.source != self._desk.writer.source  # type: ignore[attr-defined]
        if theirs and type(message.data).__name__ == "StepCompleted":  # type: ignore[attr-defined]
            return
        fold_fact(self, message, record)  # type: ignore[arg-type]

    monkeypatch.setattr(Folding, "_fold_fact", only_own)
    with pytest.raises(
        CrashFound, match=r"S7 orders: .*: attempt 1 of reserve by process 2 began behind its"
    ):
        boundaries(a_completed_order)


def test_an_owner_that_does_not_go_on_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """It folds the log, and waits for something new before it acts."""
    monkeypatch.setattr(Folding, "act", lambda self: setattr(self, "_acting", True))
    with pytest.raises(Stalled, match="place-order order-1: running") as raised:
        boundaries(a_completed_order)
    assert "with the pod killed at boundary 5 of 21" in raised.value.__notes__[-1]


# -- what a test must be


def test_results_that_are_random_are_not_compared() -> None:
    def test() -> None:
        anew()
        with Stage(app) as stage:
            stage.replace(charge, lambda: f"receipt {random.random()}")
            assert stage.run(place_order, Order()).status == "completed"

    assert len(boundaries(test)) == 21


def test_another_result_is_found() -> None:
    def test() -> None:
        numbers = iter((1, 2))
        with Stage(app) as stage:
            stage.replace(charge, lambda: f"receipt {next(numbers)}")
            stage.run(place_order, Order(), key="order-1")

    with pytest.raises(CrashFound) as raised:
        boundaries(test)
    assert "place-order order-1: charge has the result 'receipt 2' instead of 'receipt 1'" in str(
        raised.value
    )
    assert "On the stage:\nplace-order order-1: completed" in str(raised.value)


def test_a_test_that_keeps_its_world_is_told_so() -> None:
    charged: list[int] = []

    def test() -> None:
        with Stage(app) as stage:
            stage.replace(charge, into(charged))
            stage.run(place_order, Order())
            assert sum(charged) == 500

    with pytest.raises(AssertionError) as raised:
        boundaries(test)
    assert "when run a second time, undisturbed, the test failed" in raised.value.__notes__[-1]
    assert "inside the test, not in a fixture" in raised.value.__notes__[-1]


def test_a_test_that_ends_differently_each_time_is_told_so() -> None:
    runs: list[int] = []

    def test() -> None:
        runs.append(1)
        with Stage(app) as stage:
            if len(runs) > 1:
                stage.fail(charge, Terminal("declined"))
            stage.run(place_order, Order(), key="order-1")

    with pytest.raises(CrashFound, match="order-1 is compensated instead of completed") as raised:
        boundaries(test)
    assert "undisturbed" in str(raised.value)


def test_a_test_that_does_something_else_in_a_later_run_is_told_so() -> None:
    runs: list[int] = []

    def test() -> None:
        runs.append(1)
        anew()
        with Stage(app) as stage:
            if len(runs) > 5:
                stage.hang(mail, for_=1)
                stage.run(check, Order(), key="a")
            else:
                stage.run(check, Order(), key="a")
            stage.run(mail, Order(), key="b")

    with pytest.raises(CrashFound, match="it did not come to this boundary"):
        boundaries(test)


def test_a_test_without_a_stage_is_told_so() -> None:
    @crash_everywhere
    def test() -> None: ...

    with pytest.raises(CrashFound, match="the test made no Stage"):
        test()


def test_a_test_that_fails_undisturbed_fails_as_it_is() -> None:
    @crash_everywhere
    def test() -> None:
        with Stage(app) as stage:
            assert stage.run(place_order, Order()).status == "stuck"

    with pytest.raises(AssertionError, match="completed") as raised:
        test()
    assert not any("crash_everywhere" in note for note in raised.value.__notes__)
