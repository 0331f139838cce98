"""O1, O2, O5, S7, S12, S13, L1, L2: forged requests, and what is said of them."""

import pytest

from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.requests import Cancel, Compensate, Purge
from sagalog.streams.audit import Auditor
from sagalog.streams.audit.writing import home
from tests.streams.audit.catching import Case, cases, caught
from tests.streams.audit.families import HERE, sent, told, undo_there
from tests.streams.audit.folds import credulous
from tests.streams.audit.forgery import PARENT, RUN, Forgery
from tests.streams.audit.stories import complete


def a_hole(log: Forgery) -> None:
    """Request 1 has its life, request 0 has none, and both are passed."""
    log.ask(log.request(), subject="y")
    log.start()
    log.committed(2)


def poison_passed(log: Forgery) -> None:
    log.put("normal", b"no json", b"k")
    log.committed(1)


def cancel_passed(log: Forgery) -> None:
    log.start()
    log.ask(Cancel())
    log.committed(2)


def undo_passed(log: Forgery) -> None:
    sent(log)
    with log.there():
        log.ask(Compensate(1, parent=PARENT), "compensations", source=HERE)
        log.committed(1, "compensations")


def not_forwarded(log: Forgery) -> None:
    log.partitions["orders"] = 2
    log.ask(log.request(), partition=1 - home("x", 2))
    log.committed(1, partition=1 - home("x", 2))


def low_water_passes(log: Forgery) -> None:
    complete(log)
    log.ask(log.request(), subject="y")
    log.now += 2000
    log.ask(log.request(), subject="z")
    log.fact(f.Forgotten(RUN, {"normal": 3}))


OFFSETS = cases(
    (a_hole, "O1 .* the committed offset, 2, passes orders.normal/0/0, and a StartSaga"),
    (poison_passed, "O1 .* passes orders.normal/0/0, and a record that nobody can take in"),
    (cancel_passed, "O1 .* passes orders.normal/0/1, and a Cancel has not landed"),
    (undo_passed, "O1 .* passes pay.compensations/0/0, and a Compensate has not landed"),
    (not_forwarded, "O1 .* a StartSaga for another partition has not landed"),
    (low_water_passes, "O1 .* the low water of a Forgotten, 3, passes orders.normal/0/1"),
)


def below_the_low_water(log: Forgery) -> None:
    complete(log)
    log.now += 2000
    log.fact(f.Forgotten(RUN, {"normal": 1}))
    log.run = "owner1-2"
    log.fact(log.started())


def runs_again(log: Forgery) -> None:
    complete(log)
    log.now += 2000
    log.fact(f.Forgotten(RUN, {}))
    log.run = "owner1-2"
    log.fact(log.started())


def forgotten_too_soon(log: Forgery) -> None:
    complete(log)
    log.fact(f.Forgotten(RUN, {"normal": 1}))


def forgotten_unread(log: Forgery) -> None:
    complete(log)
    log.ask(log.request(), subject="y")
    log.now += 2000
    log.fact(f.Forgotten(RUN, {"normal": 1}))


def another_input(log: Forgery) -> None:
    asked = log.ask(log.request(input={"n": 2}))
    log.fact(log.started(asked))


def another_s_request(log: Forgery) -> None:
    asked = log.ask(log.request(), subject="y")
    log.fact(log.started(asked))


def no_request(log: Forgery) -> None:
    log.ask(log.request(), subject="y")
    log.fact(log.started(lane_offset=7))


def wrong_partition(log: Forgery) -> None:
    log.partitions["orders"] = 2
    log.partition = 1 - home("x", 2)
    log.take("owner2")
    log.start()


def wrong_key(log: Forgery) -> None:
    log.start()
    log.poisoned(log.fact(f.StepCompleted(RUN, "a", 1), key=b"y"))


def wrong_step(log: Forgery) -> None:
    log.start()
    log.fact(f.StepCompleted(RUN, "z", 1))


def before_its_take(log: Forgery) -> None:
    log.start()
    log.fact(f.StepCompleted(RUN, "a", 1), source="orders/0/owner2")
    log.take("owner2")


def by_another_lane(log: Forgery) -> None:
    with log.there():
        log.ask(Compensate(1, parent=PARENT), "normal", source=HERE)


def nobody_purged(log: Forgery) -> None:
    """There is an order, of another lane, and one that does not reach so far."""
    log.ask(Purge("low", 9), "high", subject="y")
    log.ask(Purge("normal", 0), "high", subject="y")
    log.fact(log.started(log.ask(log.request()), purged="its lane was purged"))


LIVES = cases(
    (below_the_low_water, "S7 .* the request normal 0 is below the low water", credulous),
    (runs_again, "S7 .* the request normal 0 has had its life, and runs again"),
    (forgotten_too_soon, "S7 .* it is forgotten .* and is kept for 1000 ms|S7 .* before its ret"),
    (forgotten_unread, "S7 .* a request of its time is not read: orders.normal/0/1"),
    (another_input, "S12 .* it has not the input of the request that it answers"),
    (another_s_request, "S12 .* it answers the request orders.normal/0/0, .* another instance"),
    (nobody_purged, "S12 .* it was purged from normal, and nobody ordered that"),
    (no_request, "S12 .* it answers the request orders.normal/0/7, which is not in the log"),
    (wrong_partition, "S12 .* Started stands in partition ., and belongs to"),
    (wrong_key, "S12 .* StepCompleted stands under the key b'y'"),
    (wrong_step, "S12 .* it has no step 'z', and it counts", credulous),
    (before_its_take, "O4 .* orders/0/owner2 writes StepCompleted before it has taken"),
    (by_another_lane, "S13 .* a Compensate of a parent travels in pay.normal"),
)


@pytest.mark.parametrize("case", [*OFFSETS, *LIVES])
def test_a_forged_request_is_caught(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    caught(case, monkeypatch, rest=False, journal=False)


def never_heard(log: Forgery) -> None:
    log.ask(log.request())


def cancel_never_heard(log: Forgery) -> None:
    log.start()
    log.ask(Cancel())


def not_committed(log: Forgery) -> None:
    complete(log)
    log.committed(0)


RESTLESS = cases(
    (never_heard, "L1 .* a StartSaga at orders.normal/0/0 was never heard"),
    (cancel_never_heard, "L1 .* a Cancel at orders.normal/0/1 was never heard"),
    (not_committed, "L2 .* orders.normal/0 ends at 1, and 0 is committed"),
)


@pytest.mark.parametrize("case", RESTLESS)
def test_what_was_never_heard_is_caught_at_rest(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught(case, monkeypatch, journal=False)
    log = Forgery()
    case.forge(log)
    assert log.judge(rest=False, journal=False) == []


def test_committed_offsets_that_go_back_are_caught() -> None:
    log = Forgery()
    complete(log)
    log.committed(1)
    log.committed(0)
    found = [str(violation) for violation in log.judge(rest=False)]
    assert found == ["O2 orders: the committed offset of orders.normal/0 went from 1 back to 0"]


def test_those_that_a_former_owner_moved_back_are_no_violation() -> None:
    log = Forgery()
    log.take("owner2")
    complete(log)
    log.committed(1)
    log.committed(0)
    log.committed(1)
    assert log.judge() == []
    assert sum(log.auditor.tally.unjudged.values()) == 1


def test_a_request_that_was_acknowledged_and_is_nowhere_is_caught() -> None:
    auditor = Auditor({"orders": 1})
    auditor.acknowledged("orders", "x")
    assert [str(v) for v in auditor.at_rest()] == [
        "O5 orders: x: it was acknowledged, and is not in the log"
    ]


def test_a_repeat_that_comes_too_late_needs_no_answer() -> None:
    log = Forgery()
    log.ask(log.request(cause_time=0, retention=1000))
    log.committed(1)
    assert log.judge() == []
    log = Forgery()
    log.ask(log.request(cause_time=log.now, retention=1000))
    log.committed(1)
    assert {violation.letter for violation in log.judge()} == {"O1"}


def test_what_is_no_request_and_belongs_elsewhere_is_forwarded_and_dead_lettered_there() -> None:
    log = Forgery(partitions=2)
    value = codec.encode(f.Completed("r"), id="f", source="test", subject="x", now=log.now)
    away, there = 1 - home("x", 2), home("x", 2)
    log.put("normal", value, b"k", away)
    log.poisoned(log.put("normal", value, b"x", there))
    log.committed(1, partition=away)
    log.committed(1, partition=there)
    assert log.judge() == []


def test_a_cancel_whose_fact_stands_behind_one_that_nobody_can_read_has_landed() -> None:
    log = Forgery()
    log.start()
    log.put("events", b'{"type": "sagalog.tomorrow.v1", "subject": "x", "data": {}}', b"x")
    log.ask(Cancel())
    log.fact(f.CancelRequested(RUN))
    log.committed(2)
    assert log.judge() == []


def test_an_undo_for_nobody_is_dropped() -> None:
    log = Forgery()
    log.ask(Compensate(1), "compensations")
    log.committed(1, "compensations")
    assert log.judge() == []


def test_a_childs_undo_has_landed_although_the_child_is_forgotten_since() -> None:
    log = Forgery()
    told(log)
    log.failed("c")
    undo_there(log, known=False)
    log.undone("a")
    log.fact(f.Compensated(RUN))
    log.now += 2000
    with log.there():
        log.fact(f.Forgotten(log.run, {"compensations": 1, "normal": 1}))
        log.committed(1, "compensations")
    assert log.judge() == []
