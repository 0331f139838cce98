"""The catalogue: every type has one name, with a version, and every name one type."""

import re
from typing import get_args

import pytest

from sagalog.schemas.catalogue import NAMES, PREFIX, TYPES
from sagalog.schemas.facts import Fact
from sagalog.schemas.requests import Request


@pytest.mark.parametrize("name", TYPES)
def test_a_name_has_our_prefix_and_a_version(name: str) -> None:
    assert re.fullmatch(re.escape(PREFIX) + r"[a-z.]+\.v[0-9]+", name)


def test_no_two_names_stand_for_one_type() -> None:
    assert len(NAMES) == len(TYPES)


@pytest.mark.parametrize("union", [Fact, Request])
def test_every_fact_and_request_is_in_the_catalogue(union: object) -> None:
    assert set(get_args(union)) <= set(NAMES)
