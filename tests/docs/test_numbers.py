"""Settings, defaults and limits that the pages name are those of the code."""

import re
from dataclasses import fields

import pytest

from sagalog.engine import Retry
from sagalog.engine.writer import LARGEST
from sagalog.streams.composer import LARGEST_INPUT
from sagalog.streams.kafka.settings import PREFIX, SECONDS, TEXTS, KafkaSettings
from sagalog.streams.settings import Settings
from tests.house.tree import ROOT

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
RETRY = (ROOT / "docs" / "howto" / "retry-and-errors.md").read_text()


def row(page: str, name: str) -> list[str]:
    """The cells of the table's row that begins with a name."""
    found = re.search(rf"^\| `{re.escape(name)}`(.*)\|$", page, re.MULTILINE)
    assert found is not None, f"{name} is not on the page"
    return [cell.strip() for cell in found[1].split("|")[1:]]


COMPUTED = ("member", "processes")
"""Their defaults are the host's: its name, its cores."""


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_is_in_the_handbook(name: str) -> None:
    default = Settings.model_fields[name].default
    told = row(OPERATIONS, f"SAGALOG_{name.upper()}")[0].strip("`")
    assert told == str(default) or name in COMPUTED


@pytest.mark.parametrize("name", [*TEXTS, *SECONDS, "SSL_CHECK_HOSTNAME"])
def test_a_setting_of_kafka_is_in_the_handbook(name: str) -> None:
    assert f"{PREFIX}{name}`" in OPERATIONS or f"..._{name}`" in OPERATIONS


@pytest.mark.parametrize("name", SECONDS)
def test_a_duration_of_kafka_is_as_the_handbook_says(name: str) -> None:
    default = getattr(KafkaSettings(bootstrap_servers=()), SECONDS[name])
    assert float(row(OPERATIONS, PREFIX + name)[0]) == default


@pytest.mark.parametrize("field", fields(Retry), ids=lambda field: str(field.name))
def test_the_policy_is_as_the_page_says(field: object) -> None:
    name, default = getattr(field, "name", ""), getattr(field, "default", None)
    if isinstance(default, int | float):
        assert float(row(RETRY, name)[0]) == default
    else:
        assert row(RETRY, name)


@pytest.mark.parametrize("limit", [LARGEST, LARGEST_INPUT])
def test_a_limit_is_in_the_handbook(limit: int) -> None:
    assert f"{limit:,}" in OPERATIONS
