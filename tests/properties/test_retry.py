"""Delays: never negative, never longer than the longest, growing with the failures."""

from hypothesis import given
from hypothesis import strategies as st

from sagalog.engine.retry import delay, draw
from sagalog.schemas.definition import RetrySpec
from tests.properties.strategies import retries


@given(retries(), st.integers(1, 10**9), st.floats(0, 1))
def test_a_delay_stays_within_its_bounds(spec: RetrySpec, failures: int, drawn: float) -> None:
    wait = delay(spec, failures, drawn)
    assert 0 <= wait <= spec.longest
    least = min(spec.first, spec.longest) * (1 - spec.jitter)
    assert wait >= least - 1


@given(retries(), st.integers(1, 10**4), st.floats(0, 1))
def test_a_delay_never_shrinks_with_the_failures(
    spec: RetrySpec, failures: int, drawn: float
) -> None:
    assert delay(spec, failures, drawn) <= delay(spec, failures + 1, drawn)


@given(st.text(st.characters(codec="utf-8")))
def test_a_draw_is_between_zero_and_one(seed: str) -> None:
    assert 0 <= draw(seed) <= 1
