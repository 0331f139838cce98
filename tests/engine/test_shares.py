"""Shares: what each lane is guaranteed, and nothing idle while there is work."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import pytest

from sagalog.engine.shares import WEIGHTS, Shares, aged


def served(shares: Shares, lanes: Iterable[str], times: int) -> Counter[str]:
    lanes = list(lanes)
    return Counter(shares.serve(lanes) for _ in range(times))


def test_high_normal_and_low_share_sixteen_to_four_to_one() -> None:
    assert served(Shares(), ("high", "normal", "low"), 2100) == {
        "high": 1600,
        "normal": 400,
        "low": 100,
    }


def test_compensations_have_a_share_as_large_as_high_s() -> None:
    counts = served(Shares(), WEIGHTS, 3700)
    assert counts["compensations"] == counts["high"] == 1600


def test_low_is_served_within_one_round_of_all_weights() -> None:
    shares = Shares()
    order = [shares.serve(WEIGHTS) for _ in range(10 * 37)]
    places = [n for n, lane in enumerate(order) if lane == "low"]
    assert max(b - a for a, b in pairwise(places)) <= 37


@pytest.mark.parametrize("lane", WEIGHTS)
def test_a_lane_alone_gets_everything(lane: str) -> None:
    assert served(Shares(), [lane], 50) == {lane: 50}


@pytest.mark.parametrize(
    ("lanes", "share"), [(("high", "low"), 16 / 17), (("normal", "low"), 4 / 5)]
)
def test_what_idle_lanes_leave_goes_to_the_others_by_weight(
    lanes: tuple[str, str], share: float
) -> None:
    assert served(Shares(), lanes, 1700)[lanes[0]] == pytest.approx(1700 * share, abs=2)


@pytest.mark.parametrize("idle", ["high", "normal", "low"])
def test_a_lane_that_comes_back_from_idle_cannot_have_saved_up(idle: str) -> None:
    shares = Shares()
    others = [lane for lane in ("high", "normal", "low") if lane != idle]
    served(shares, others, 10_000)
    total = sum(WEIGHTS[lane] for lane in ("high", "normal", "low"))
    counts = served(shares, ("high", "normal", "low"), total)
    assert counts[idle] <= WEIGHTS[idle] + 1


@pytest.mark.parametrize("idle", ["high", "normal", "low"])
def test_nor_is_it_made_to_wait(idle: str) -> None:
    shares = Shares()
    served(shares, [idle], 10_000)
    served(shares, [lane for lane in ("high", "normal", "low") if lane != idle], 500)
    total = sum(WEIGHTS[lane] for lane in ("high", "normal", "low"))
    assert served(shares, ("high", "normal", "low"), 2 * total)[idle] >= WEIGHTS[idle]


def test_weights_can_be_set() -> None:
    shares = Shares({"high": 3, "low": 1})
    assert served(shares, ("high", "low"), 400) == {"high": 300, "low": 100}


@pytest.mark.parametrize(
    ("minutes", "weight"), [(0, 1), (1, 1), (2, 2), (3, 3), (4, 4), (60 * 24, 4)]
)
def test_what_has_waited_for_minutes_weighs_more_up_to_four_times(
    minutes: int, weight: int
) -> None:
    shares, times = Shares(), 100 * (16 + 4 + weight)
    waits = {"low": minutes * 60_000}
    counts = Counter(
        shares.serve(("high", "normal", "low"), lambda lane: waits.get(lane, 0))
        for _ in range(times)
    )
    assert counts["low"] == pytest.approx(100 * weight, abs=2)
    assert counts["high"] == pytest.approx(1600, abs=2)


def test_where_all_have_waited_alike_the_shares_are_as_ever() -> None:
    shares = Shares()
    counts = Counter(shares.serve(("high", "low"), lambda _: 10**6) for _ in range(1700))
    assert counts["low"] == pytest.approx(100, abs=2)


def test_a_clock_that_is_behind_ages_nothing() -> None:
    assert aged(-5000) == 1
