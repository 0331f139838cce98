"""The recorder still records, and a story told twice is the same story."""

import pytest

from tests.histories.record import record
from tests.histories.story import STORIES


@pytest.mark.parametrize("name", ["killed", "child_undone", "unreadable", "values"])
def test_a_story_told_twice_is_the_same(name: str) -> None:
    first, second = (record(STORIES[name]) for _ in range(2))
    assert first.lines == second.lines


def test_a_story_says_what_it_is_about() -> None:
    assert [s.name for s in STORIES.values() if not s.about.endswith(".")] == []
