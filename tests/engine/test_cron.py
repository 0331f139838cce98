"""When cron expressions are due, the days of changed clocks included."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from sagalog.engine import DeclarationError, cron

BERLIN = "Europe/Berlin"


def ms(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def dues(every: str, zone: str, after: str, count: int) -> list[str]:
    at, found = ms(after), list[str]()
    for _ in range(count):
        at = cron.following(every, zone, at)
        found.append(datetime.fromtimestamp(at / 1000, UTC).isoformat()[:16])
    return found


def test_each_time_is_after_the_one_before() -> None:
    assert dues("*/20 * * * *", "UTC", "2026-01-01T00:00Z", 3) == [
        "2026-01-01T00:20",
        "2026-01-01T00:40",
        "2026-01-01T01:00",
    ]


def test_a_fraction_of_a_second_makes_no_time_come_twice() -> None:
    at = ms("2026-01-01T00:20Z")
    assert cron.following("*/20 * * * *", "UTC", at - 1) == at
    assert cron.following("*/20 * * * *", "UTC", at + 1) == ms("2026-01-01T00:40Z")


def test_a_zone_is_that_of_the_wall() -> None:
    assert dues("0 9 * * *", BERLIN, "2026-01-01T00:00Z", 1) == ["2026-01-01T08:00"]
    assert dues("0 9 * * *", BERLIN, "2026-07-01T00:00Z", 1) == ["2026-07-01T07:00"]


def test_in_spring_what_the_night_skips_is_due_at_once_behind_the_gap() -> None:
    # On 29 March 2026 two o'clock is three o'clock in Berlin, at 01:00 UTC.
    assert dues("30 2 * * *", BERLIN, "2026-03-28T00:00Z", 3) == [
        "2026-03-28T01:30",
        "2026-03-29T01:00",
        "2026-03-30T00:30",
    ]


def test_in_spring_several_times_within_the_gap_are_due_once() -> None:
    assert dues("15,45 2 * * *", BERLIN, "2026-03-29T00:00Z", 2) == [
        "2026-03-29T01:00",
        "2026-03-30T00:15",
    ]


def test_in_autumn_a_time_that_comes_twice_is_due_once() -> None:
    # On 25 October 2026 three o'clock is two o'clock again, at 01:00 UTC.
    assert dues("30 2 * * *", BERLIN, "2026-10-24T12:00Z", 2) == [
        "2026-10-25T00:30",
        "2026-10-26T01:30",
    ]


def test_in_autumn_who_asks_in_the_second_turn_is_not_sent_back_to_the_first() -> None:
    assert dues("30 2 * * *", BERLIN, "2026-10-25T01:10Z", 1) == ["2026-10-26T01:30"]


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_every_hour_is_every_hour_also_on_such_days(day: str) -> None:
    found = [datetime.fromisoformat(due) for due in dues("0 * * * *", BERLIN, f"{day}T00:00Z", 6)]
    assert {(b - a).total_seconds() for a, b in pairwise(found)} == {3600}


def test_the_newest_is_the_last_that_is_due_by_now() -> None:
    due = ms("2026-01-01T00:00Z")
    for now, last in [
        ("2026-01-01T00:00Z", "2026-01-01T00:00Z"),
        ("2026-01-01T00:04:59Z", "2026-01-01T00:00Z"),
        ("2026-01-01T00:05Z", "2026-01-01T00:05Z"),
        ("2027-06-01T12:34:56Z", "2027-06-01T12:30Z"),
    ]:
        assert cron.newest("*/5 * * * *", "UTC", due, ms(now)) == ms(last)


def test_the_newest_of_a_rare_one_is_found_too() -> None:
    due = ms("2020-02-29T00:00Z")
    assert cron.newest("0 0 29 2 *", "UTC", due, ms("2031-01-01T00:00Z")) == ms("2028-02-29T00:00Z")


def test_seconds_may_be_said() -> None:
    found = cron.following("*/10 * * * * *", "UTC", ms("2026-01-01T00:00:01Z"))
    assert found == ms("2026-01-01T00:00:10Z")


@pytest.mark.parametrize(
    ("every", "reason"),
    [
        ("often", "wrong number of fields"),
        ("", "wrong number of fields"),
        ("60 * * * *", "bad minute"),
        ("0 0 30 2 *", "bad day-of-month"),
        ("* * * * 5#2/3", "."),
        ("* " * 300, "longer than 200 characters"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_reason(every: str, reason: str) -> None:
    with pytest.raises(DeclarationError, match=reason) as caught:
        cron.check(every, "UTC")
    assert caught.value.field == "every"
    assert caught.value.remedy.startswith("Use minute, hour,")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe", "\0"])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(DeclarationError, match="is no time zone") as caught:
        cron.check("* * * * *", zone)
    assert caught.value.field == "zone"
