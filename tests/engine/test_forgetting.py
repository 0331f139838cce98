"""How far the lanes have been read in time, and what may be trimmed of them."""

from sagalog.engine.forgetting import DAY, KEPT, Horizon, Trimming

LOW = {"high": 3, "normal": 5}


def test_before_a_poll_nothing_is_reached() -> None:
    assert Horizon().read(LOW) == 0


def test_a_poll_s_time_is_reached_once_every_lane_is_read_to_its_end() -> None:
    horizon = Horizon()
    horizon.polled({"high": 3, "normal": 6}, 1000)
    assert horizon.read({"high": 3, "normal": 5}) == 0
    assert horizon.read({"high": 2, "normal": 6}) == 0
    assert horizon.read({"high": 3, "normal": 6}) == 1000


def test_a_lane_that_has_no_requests_holds_up_nothing() -> None:
    horizon = Horizon()
    horizon.polled({"high": 3, "low": 0}, 1000)
    assert horizon.read({"high": 3}) == 1000


def test_a_poll_is_not_replaced_before_it_is_reached() -> None:
    """Under steady traffic a newer poll would always be ahead of the reading."""
    horizon = Horizon()
    horizon.polled({"high": 3}, 1000)
    horizon.polled({"high": 9}, 2000)
    assert horizon.read({"high": 3}) == 1000
    horizon.polled({"high": 9}, 2000)
    assert horizon.read({"high": 3}) == 1000
    assert horizon.read({"high": 9}) == 2000


def test_the_time_reached_never_goes_back() -> None:
    horizon = Horizon()
    horizon.polled({}, 2000)
    assert horizon.read({}) == 2000
    horizon.polled({}, 1000)
    assert horizon.read({}) == 2000


def test_lanes_are_trimmed_a_week_after_they_were_done() -> None:
    trimming = Trimming()
    trimming.reached(1000, {"high": 3})
    assert trimming.trimmable(1000 + KEPT - 1) == {}
    assert trimming.trimmable(1000 + KEPT) == {"high": 3}
    assert trimming.trimmable(1000 + KEPT) == {}


def test_a_day_is_remembered_once() -> None:
    trimming = Trimming()
    trimming.reached(0, {"high": 1})
    trimming.reached(DAY - 1, {"high": 2})
    trimming.reached(DAY, {"high": 3})
    assert trimming.trimmable(KEPT) == {"high": 1}
    assert trimming.trimmable(KEPT + DAY) == {"high": 3}


def test_what_was_done_is_remembered_as_it_was() -> None:
    trimming, low = Trimming(), {"high": 1}
    trimming.reached(0, low)
    low["high"] = 99
    assert trimming.trimmable(KEPT) == {"high": 1}
