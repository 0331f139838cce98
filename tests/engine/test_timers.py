"""Timers: fired once, in order, not before they are due, and not when revoked."""

from sagalog.engine.pending import Deadline, Run
from sagalog.engine.timers import Timers

SOON, LATER = Deadline(10), Deadline(20)


def due(timers: Timers, now: int) -> list[str]:
    return [timer.instance for timer in timers.due(now)]


def test_a_timer_fires_once_when_it_is_due() -> None:
    timers = Timers()
    timers.set("a", SOON, 10)
    assert due(timers, 9) == []
    assert due(timers, 10) == ["a"]
    assert due(timers, 99) == []


def test_the_earliest_fires_first() -> None:
    timers = Timers()
    timers.set("b", LATER, 20)
    timers.set("a", SOON, 10)
    assert timers.next_due() == 10
    assert due(timers, 99) == ["a", "b"]


def test_timers_due_at_one_time_fire_in_the_order_in_which_they_were_set() -> None:
    timers = Timers()
    names = [f"i{number}" for number in range(50)]
    for name in names:
        timers.set(name, Run(0, 1, 10), 10)
    assert due(timers, 10) == names


def test_a_revoked_timer_does_not_fire() -> None:
    timers = Timers()
    timers.set("a", SOON, 10)
    timers.set("b", LATER, 20)
    timers.revoke("a", SOON)
    assert timers.next_due() == 20
    assert due(timers, 99) == ["b"]


def test_revoking_what_is_not_set_is_harmless() -> None:
    timers = Timers()
    timers.revoke("a", SOON)
    assert (timers.next_due(), len(timers)) == (None, 0)


def test_setting_a_timer_twice_fires_it_once() -> None:
    timers = Timers()
    timers.set("a", SOON, 10)
    timers.set("a", SOON, 10)
    assert due(timers, 99) == ["a"]


def test_a_timer_set_again_after_it_was_revoked_fires_once() -> None:
    timers = Timers()
    timers.set("a", SOON, 10)
    timers.revoke("a", SOON)
    timers.set("a", SOON, 10)
    assert due(timers, 99) == ["a"]


def test_two_actions_of_one_instance_are_two_timers() -> None:
    timers = Timers()
    timers.set("a", SOON, 10)
    timers.set("a", LATER, 20)
    timers.revoke("a", SOON)
    assert due(timers, 99) == ["a"]


def test_many_revoked_ones_leave_the_others_as_they_are() -> None:
    timers = Timers()
    for number in range(2000):
        timers.set(f"i{number}", Deadline(number), number)
    for number in range(2000):
        if number % 10:
            timers.revoke(f"i{number}", Deadline(number))
    assert len(timers) == 200
    assert due(timers, 2000) == [f"i{number}" for number in range(0, 2000, 10)]
