"""The same worlds, drawn by Hypothesis: it looks where a seed's dice seldom fall."""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.simulation.chance import Drawn
from tests.simulation.trials import Failure, told, tried

MOST = 400
"""Choices that are drawn for a world; behind them everything is dull."""

CALM = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
PROFILES = {
    "dev": settings(max_examples=50, derandomize=True, database=None),
    "ci": settings(max_examples=1_000, derandomize=True, database=None),
    "nightly": settings(max_examples=20_000),
}
PROFILE = os.environ.get("SIMULATION_PROFILE", "ci")


@pytest.mark.slow
@pytest.mark.timeout(7200 if PROFILE == "nightly" else 300)
@settings(
    PROFILES[PROFILE],
    deadline=None,
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=CALM,
    # Its own shrinking has no time limit to speak of; ours has, and knows what is dull.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(st.data())
def test_no_world_that_hypothesis_draws_breaks_a_promise(data: st.DataObject) -> None:
    chance = Drawn(lambda n: data.draw(_below(n)), MOST)
    said, _ = tried(chance)
    if said:
        pytest.fail(told(Failure(-1, said, chance.trace)), pytrace=False)


_STRATEGIES: dict[int, st.SearchStrategy[int]] = {}


def _below(n: int) -> st.SearchStrategy[int]:
    if n not in _STRATEGIES:
        _STRATEGIES[n] = st.integers(0, n - 1)
    return _STRATEGIES[n]
