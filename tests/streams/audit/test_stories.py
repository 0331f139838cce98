"""True logs pass, whatever happened in them."""

from collections.abc import Callable

import pytest

from tests.streams.audit.forgery import Forgery, letters
from tests.streams.audit.stories import TRUE


@pytest.mark.parametrize("ordered", [False, True], ids=["as read", "in order"])
@pytest.mark.parametrize("story", TRUE, ids=lambda story: story.__name__)
def test_a_true_log_passes(story: Callable[[Forgery], None], ordered: bool) -> None:
    log = Forgery()
    story(log)
    assert [violation.text() for violation in log.judge(ordered=ordered)] == []
    assert log.auditor.tally.instances > 0


@pytest.mark.parametrize("story", TRUE, ids=lambda story: story.__name__)
def test_it_passes_whenever_one_stops_reading(story: Callable[[Forgery], None]) -> None:
    log = Forgery()
    story(log)
    whole = log.story
    for length in range(len(whole)):
        log.story = whole[:length]
        assert letters(log.judge(ordered=True, rest=False)) == set()
