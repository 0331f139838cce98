"""What an owner may begin with what it was lent, and when it must ask again."""

from sagalog.engine.effects import Call
from sagalog.engine.pending import Run
from sagalog.engine.purse import LINGER, NOTHING, SLICE, Purse, Wish
from sagalog.schemas.limits import LimitSpec, PermitsGranted

NOW = 1_000_000


def call(number: int) -> Call:
    return Call(0, f"i{number}", "run", "normal", Run(0, 1, 0))


def purse(*, permits: int, waiting: int = 0, pressure: int = 0) -> Purse:
    """One that asked at NOW, and was lent so many permits."""
    made = Purse("limiter", "charge", "", LimitSpec(concurrency=9))
    for number in range(waiting):
        made.waiting.add(call(number), "")
    made.asked(Wish(0, max(permits, waiting), 0), 1, NOW)
    made.granted(grant(1, serial=5, permits=permits, pressure=pressure), NOW)
    return made


def grant(number: int, *, serial: int, permits: int, pressure: int = 0) -> PermitsGranted:
    return PermitsGranted("owner", number, serial, permits, pressure=pressure)


def test_no_more_begin_than_permits_are_held() -> None:
    held = purse(permits=2)
    for _ in range(2):
        assert held.free(NOW)
        held.use()
    assert not held.free(NOW)
    held.freed(NOW)
    assert held.free(NOW)


def test_nothing_begins_in_the_last_tenth_of_a_lease_counted_from_the_request() -> None:
    held = purse(permits=2)
    assert held.free(NOW + 8_999)
    assert not held.free(NOW + 9_000)


def test_while_it_is_not_answered_no_more_is_used_than_would_be_kept() -> None:
    held = purse(permits=2)
    held.use()
    at = NOW + LINGER
    wish = held.wish(at)
    assert wish == Wish(1, 1, 0)
    held.asked(wish, 2, at)
    assert not held.free(at)
    held.granted(grant(2, serial=6, permits=2), at)
    assert held.free(at)


def test_a_word_of_the_past_or_of_another_request_changes_nothing() -> None:
    held = purse(permits=2)
    held.granted(grant(1, serial=5, permits=9), NOW)
    held.granted(grant(1, serial=4, permits=9), NOW)
    held.granted(grant(7, serial=8, permits=9), NOW)
    assert held.permits == 2


def test_it_asks_again_in_a_third_of_its_lease_answered_or_not() -> None:
    held = purse(permits=2)
    held.use()
    held.use()
    assert held.wish(NOW + 3_332) is None
    assert held.due(NOW) == NOW + 3_333
    assert held.wish(NOW + 3_333) == Wish(2, 2, 0)
    held.asked(Wish(2, 2, 0), 2, NOW + 3_333)
    assert held.wish(NOW + 6_665) is None
    assert held.wish(NOW + 6_666) == Wish(2, 2, 0)


def test_it_asks_for_more_once_it_has_all_that_it_asked_for() -> None:
    held = purse(permits=1, waiting=1)
    assert held.wish(NOW) is None
    held.waiting.add(call(7), "")
    assert held.wish(NOW) == Wish(1, 2, 0)
    hungry = purse(permits=1, waiting=5)
    hungry.waiting.add(call(7), "")
    assert hungry.wish(NOW) is None


def test_what_is_idle_goes_back_sooner_where_others_wait() -> None:
    idle = purse(permits=2)
    idle.use()
    idle.freed(NOW)
    assert idle.wish(NOW + LINGER - 1) is None
    assert idle.wish(NOW + LINGER) == NOTHING
    pressed = purse(permits=2, pressure=1)
    pressed.use()
    pressed.freed(NOW)
    assert pressed.wish(NOW + SLICE - 1) is None
    assert pressed.wish(NOW + SLICE) == NOTHING


def test_where_others_have_less_what_falls_free_goes_back_after_a_slice() -> None:
    held = purse(permits=2, waiting=9, pressure=2)
    held.use()
    held.use()
    held.freed(NOW)
    assert held.free(NOW + SLICE - 1)
    assert not held.free(NOW + SLICE)
    assert held.wish(NOW + SLICE) == Wish(1, 10, 0)


def test_where_there_is_a_rate_each_beginning_takes_a_token() -> None:
    held = Purse("limiter", "charge", "", LimitSpec(rate=9))
    held.waiting.add(call(1), "")
    held.asked(Wish(0, 3, 0), 1, NOW)
    metered = PermitsGranted("owner", 1, 5, 3, 2, metered=True)
    held.granted(metered, NOW)
    for _ in range(2):
        assert held.free(NOW)
        held.use()
    assert not held.free(NOW)
    assert held.wish(NOW) == Wish(3, 3, 1)
