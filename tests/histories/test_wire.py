"""Under one name, a type of a recorded version is still read, and old readers read today's."""

import copy
from typing import Any

import pytest

from sagalog.schemas.upcasting import UPCASTERS
from tests.histories.history import versions
from tests.histories.record import frozen
from tests.histories.wire import changes, recorded, today

HINT = "make it a new version of the type with an upcaster, or a field with a default"
ALL = pytest.mark.parametrize("version", versions())


@ALL
def test_every_type_that_a_version_wrote_is_still_read(version: str) -> None:
    assert sorted(recorded(version).keys() - today().keys() - UPCASTERS.keys()) == []


@ALL
def test_no_type_has_changed_under_its_name(version: str) -> None:
    assert list(changes(recorded(version), today())) == [], HINT


def test_the_types_of_the_version_under_development_are_kept() -> None:
    newest = versions()[-1]
    if newest not in frozen():
        assert recorded(newest) == today(), "python -m tests.histories.record"


def test_a_new_field_with_a_default_is_no_change() -> None:
    new: Any = copy.deepcopy(today())
    new["sagalog.step.failed.v1"]["hint"] = ["str", ""]
    new["Failure"]["hint"] = [{"either": ["null", "str"]}, None]
    new["sagalog.novel.v1"] = {"run": ["str"]}
    assert list(changes(today(), new)) == []


@pytest.mark.parametrize(
    ("name", "field", "said"),
    [
        pytest.param("sagalog.step.failed.v1", "hint", ["str"], id="a field that must be given"),
        pytest.param("sagalog.step.failed.v1", "counted", ["bool", False], id="another default"),
        pytest.param("sagalog.step.failed.v1", "attempt", ["str"], id="another type"),
        pytest.param("sagalog.step.failed.v1", "retry_at", None, id="a field that is gone"),
        pytest.param("Failure", "kind", [{"one of": ["error", "novel"]}], id="other words"),
        pytest.param("RetrySpec", "max_attempts", ["int", 4], id="a default deep inside"),
    ],
)
def test_any_other_change_is_one(name: str, field: str, said: Any) -> None:
    new: Any = copy.deepcopy(today())
    new[name][field] = said
    assert len(list(changes(today(), new))) == 1
