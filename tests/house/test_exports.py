"""What users import is chosen: `__all__` says it, and a change to it is made on purpose."""

import pytest

from tests.house.exports import FROZEN, PUBLIC, bound, exported, listing


@pytest.mark.parametrize("portion", PUBLIC)
def test_all_is_exactly_what_is_exported(portion: str) -> None:
    names = exported(portion)  # ruff (RUF022) keeps it sorted
    assert len(names) == len(set(names))
    assert set(names) == bound(portion)


def test_the_public_names_are_the_frozen_ones() -> None:
    hint = "on purpose? .venv/bin/python -m tests.house.exports --write"
    assert listing().splitlines() == FROZEN.read_text().splitlines(), hint
