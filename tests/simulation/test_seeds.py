"""Thousands of worlds by seed: none breaks a promise, and every interesting situation comes up."""

import pytest

from tests.simulation.conftest import wanted
from tests.simulation.counters import SITUATIONS
from tests.simulation.trials import Trials, told, trials

MANY = 30_000
ENOUGH = 20_000
"""Worlds in which even rare situations come up."""


@pytest.fixture(scope="module")
def tried(request: pytest.FixtureRequest) -> Trials:
    return trials(0, int(str(wanted(request.config, "--worlds") or MANY)))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_world_breaks_a_promise(tried: Trials) -> None:
    if tried.failure is not None:
        pytest.fail(told(tried.failure), pytrace=False)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_interesting_situation_comes_up(tried: Trials) -> None:
    """Worlds without them would prove nothing."""
    if tried.failure is not None:
        pytest.fail("a world failed, so not all were tried")
    if tried.worlds < ENOUGH:
        pytest.skip(f"{tried.worlds} worlds are too few to judge that")
    assert [name for name in SITUATIONS if not tried.seen[name]] == []


def test_a_few_worlds_keep_every_promise() -> None:
    few = trials(1_000_000, 300)
    if few.failure is not None:
        pytest.fail(told(few.failure), pytrace=False)
