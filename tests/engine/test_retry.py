"""Retry: how long to wait, how often, and after which errors."""

from datetime import timedelta

import pytest

from sagalog.engine import DeclarationError, Retry, Terminal, Unavailable
from sagalog.engine.retry import delay, draw, milliseconds
from sagalog.schemas.definition import RetrySpec

STEADY = RetrySpec(first=100, factor=2, longest=1000, jitter=0)


@pytest.mark.parametrize(
    ("failures", "wait"),
    [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1000), (6, 1000), (10**6, 1000)],
)
def test_the_wait_doubles_up_to_the_longest(failures: int, wait: int) -> None:
    assert delay(STEADY, failures, 0) == wait


@pytest.mark.parametrize(("drawn", "wait"), [(0, 100), (0.5, 90), (1, 80)])
def test_jitter_takes_off_at_most_its_share(drawn: float, wait: int) -> None:
    spec = RetrySpec(first=100, factor=2, longest=1000, jitter=0.2)
    assert delay(spec, 1, drawn) == wait


def test_the_first_wait_is_not_longer_than_the_longest() -> None:
    assert delay(RetrySpec(first=5000, longest=10, jitter=0), 1, 0) == 10


@pytest.mark.parametrize("factor", [1.0, 2.0, 1000.0])
def test_no_number_of_failures_overflows(factor: float) -> None:
    assert delay(RetrySpec(factor=factor, longest=7, first=7, jitter=0), 10**9, 0) == 7


def test_no_factor_overflows() -> None:
    assert delay(RetrySpec(factor=1e6, longest=7, jitter=0), 100, 0) == 7


def test_a_draw_depends_on_its_seed_alone() -> None:
    assert draw("a") == draw("a") != draw("b")


def test_draws_spread_over_the_range() -> None:
    drawn = [draw(f"run/step/{number}") for number in range(1000)]
    assert all(0 <= number <= 1 for number in drawn)
    assert min(drawn) < 0.01
    assert max(drawn) > 0.99
    assert 0.45 < sum(drawn) / 1000 < 0.55


@pytest.mark.parametrize(
    ("duration", "wire"), [(0, 0), (1.5, 1500), (0.0004, 0), (timedelta(minutes=2), 120_000)]
)
def test_durations_are_seconds_or_a_timedelta(duration: float | timedelta, wire: int) -> None:
    assert milliseconds(duration, "timeout") == wire


@pytest.mark.parametrize(
    "duration", [-1, -0.001, float("inf"), float("nan"), timedelta(seconds=-1)]
)
def test_what_is_no_duration_is_refused_with_its_field(duration: float | timedelta) -> None:
    with pytest.raises(DeclarationError) as caught:
        milliseconds(duration, "charge.timeout")
    assert caught.value.field == "charge.timeout"
    assert caught.value.reason
    assert caught.value.remedy


def test_a_policy_travels_in_milliseconds() -> None:
    retry = Retry(
        max_attempts=9, first=1.5, factor=3, longest=timedelta(hours=1), jitter=1, give_up_after=7
    )
    assert retry.spec() == RetrySpec(9, 1500, 3, 3_600_000, 1, 7000)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_attempts", 0),
        ("max_attempts", -1),
        ("jitter", -0.1),
        ("jitter", 1.1),
        ("jitter", float("nan")),
        ("factor", 0.5),
        ("first", -1),
        ("longest", -1),
        ("give_up_after", -1),
        ("factor", float("nan")),
        ("factor", float("inf")),
    ],
)
def test_a_number_that_makes_no_policy_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(DeclarationError) as caught:
        Retry(**{field: value})  # type: ignore[arg-type]
    assert caught.value.field == f"Retry.{field}"


@pytest.mark.parametrize(
    ("retry", "error", "again"),
    [
        (Retry(), ValueError(), True),
        (Retry(), Unavailable(), True),
        (Retry(), Terminal(), False),
        (Retry(never=(KeyError,)), KeyError(), False),
        (Retry(never=(LookupError,)), KeyError(), False),
        (Retry(never=(KeyError,)), ValueError(), True),
        (Retry(only=(OSError,)), ConnectionError(), True),
        (Retry(only=(OSError,)), ValueError(), False),
        (Retry(only=(OSError,), never=(ConnectionError,)), ConnectionError(), False),
        (Retry(only=(Terminal,)), Terminal(), False),
        (Retry(), KeyboardInterrupt(), False),
    ],
)
def test_which_errors_are_tried_again(retry: Retry, error: BaseException, *, again: bool) -> None:
    assert retry.retryable(error) is again
