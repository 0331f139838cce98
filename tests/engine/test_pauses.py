"""The folded pauses: the last fact of a person counts, and of a breaker only the next one."""

import pytest

from sagalog.engine.errors import Impossible
from sagalog.engine.pauses import NOTHING_HELD, PAUSES_KEY, Held, Pause, Pauses, folded
from sagalog.schemas.pauses import BreakerClosed, BreakerOpened, Paused, PauseFact, Resumed


def fold(*facts: PauseFact) -> Pauses:
    """The facts stamped 1, 2, 3 and so on."""
    pauses = NOTHING_HELD
    for time, fact in enumerate(facts, 1):
        pauses = folded(pauses, fact, time)
    return pauses


PAUSE = Paused("p1", "charge", reason="down", by="ann")


def test_the_last_fact_of_a_person_counts() -> None:
    again = Paused("p2", "charge", reason="still down", by="bob")
    assert fold(PAUSE, again).of("charge").paused == Pause(2, "still down", "bob")
    assert fold(PAUSE, Resumed("r", "charge"), again).of("charge").holds
    assert not fold(PAUSE, again, Resumed("r", "charge")).of("charge").holds


def test_one_operation_is_paused_and_no_other() -> None:
    held = fold(PAUSE)
    assert held.of("charge").holds
    assert not held.of("refund").holds
    assert held.lanes == {}


def test_lanes_are_paused_by_themselves() -> None:
    held = fold(Paused("p", lane="low", by="ann"), PAUSE)
    assert held.lanes == {"low": Pause(1, "", "ann")}
    assert folded(held, Resumed("r", lane="low"), 9).lanes == {}
    assert folded(held, Resumed("r", lane="high"), 9) is held


def test_what_names_nothing_changes_nothing() -> None:
    assert fold(Paused("p")) is NOTHING_HELD
    assert fold(Resumed("p")) is NOTHING_HELD


def test_a_breaker_opens_again_and_again_until_it_closes() -> None:
    held = fold(BreakerOpened("charge", 1, 100, "away"), BreakerOpened("charge", 2, 300, "gone"))
    assert held.of("charge") == Held(number=2, until=300, times=2, since=1, reason="gone")
    closed = folded(held, BreakerClosed("charge", 2), 9).of("charge")
    assert closed == Held(number=2, lifted=9)


@pytest.mark.parametrize(
    "late",
    [
        BreakerOpened("charge", 2, 999),
        BreakerOpened("charge", 4, 999),
        BreakerClosed("charge", 1),
    ],
)
def test_of_a_breaker_only_the_next_fact_counts(late: PauseFact) -> None:
    held = fold(BreakerOpened("charge", 1, 100), BreakerOpened("charge", 2, 300))
    assert folded(held, late, 9) is held


def test_what_a_probe_found_before_a_person_resumed_is_the_past() -> None:
    held = fold(BreakerOpened("charge", 1, 100), Resumed("r", "charge"))
    assert not held.of("charge").holds
    assert folded(held, BreakerOpened("charge", 2, 300), 9) is held
    assert folded(held, BreakerOpened("charge", 3, 300), 9).of("charge").times == 1


def test_who_resumes_lifts_pause_and_breaker() -> None:
    held = fold(PAUSE, BreakerOpened("charge", 1, 100))
    assert not folded(held, Resumed("r", "charge"), 9).of("charge").holds
    assert folded(held, BreakerClosed("charge", 1), 9).of("charge").holds


def test_it_remembers_when_the_operation_was_let_go() -> None:
    held = fold(PAUSE, Resumed("r", "charge"))
    assert held.of("charge").lifted == 2
    assert folded(held, Resumed("r2", "charge"), 9).of("charge").lifted == 2


def test_a_row_holds_it_all() -> None:
    held = fold(PAUSE, Paused("p", lane="low"), BreakerOpened("ship", 1, 100, "away"))
    row = held.row()
    assert row.key == PAUSES_KEY
    assert row.value is not None
    assert Pauses.read({PAUSES_KEY: row.value}) == held
    assert Pauses.read({}) == NOTHING_HELD


@pytest.mark.parametrize("row", [b"{", b"[{}, {}, {}]", b'[{"a": [null,0,0,0,0,"",0,1]}, {}]'])
def test_a_row_that_cannot_be_read_stops_the_partition(row: bytes) -> None:
    with pytest.raises(Impossible, match="~pauses"):
        Pauses.read({PAUSES_KEY: row})
