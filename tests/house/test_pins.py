"""What is said in two places is said the same way."""

import re
import tomllib

import pytest

from tests.house.tree import ROOT
from tests.kafka.broker import CLUSTER_ID, SHARED, shared_settings
from tests.kafka.jars import kafka_version

LOCK = tomllib.loads((ROOT / "uv.lock").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
COMPOSE = (ROOT / "docker-compose.kafka.yml").read_text()


def test_the_lock_names_public_addresses_only() -> None:
    hosts = set(re.findall(r'https?://([^/"]+)', (ROOT / "uv.lock").read_text()))
    assert hosts == {"pypi.org", "files.pythonhosted.org"}


def test_the_lock_is_made_from_this_pyproject() -> None:
    """Compare what `uv sync --frozen` does not: `uv lock` was forgotten if this fails."""
    (locked,) = (package for package in LOCK["package"] if package["name"] == "sagalog")
    rows = locked["metadata"]["requires-dist"]
    assert locked["version"] == PROJECT["project"]["version"]
    assert {split(row) for row in PROJECT["project"]["dependencies"]} == {
        (row["name"], row["specifier"]) for row in rows if "marker" not in row
    }


@pytest.mark.parametrize("group", PROJECT["dependency-groups"])
def test_the_lock_has_this_group(group: str) -> None:
    (locked,) = (package for package in LOCK["package"] if package["name"] == "sagalog")
    rows = PROJECT["dependency-groups"][group]
    assert {split(row) for row in rows if isinstance(row, str)} <= {
        (row["name"], row["specifier"]) for row in locked["metadata"]["requires-dev"][group]
    }


def split(requirement: str) -> tuple[str, str]:
    """Part a requirement into name and specifier, as the lock does."""
    found = re.fullmatch(r"([\w-]+)(?:\[[\w,-]+\])?(.*)", requirement)
    assert found is not None
    return found[1], found[2]


def test_one_uv() -> None:
    pins = [row for row in PROJECT["dependency-groups"]["dev"] if str(row).startswith("uv==")]
    (locked,) = (package for package in LOCK["package"] if package["name"] == "uv")
    assert pins == [f"uv=={locked['version']}"]
    assert f"astral-sh/uv:{locked['version']} " in (ROOT / "Dockerfile").read_text()


def test_one_kafka() -> None:
    assert f"image: apache/kafka:{kafka_version()}\n" in COMPOSE
    assert f"CLUSTER_ID: {CLUSTER_ID}\n" in COMPOSE


def test_compose_has_the_settings_of_the_test_broker() -> None:
    mounted = SHARED.relative_to(ROOT).as_posix()
    assert f"- ./{mounted}:/mnt/shared/config/server.properties:ro\n" in COMPOSE
    own = {
        key.lower().replace("_", ".")
        for key in re.findall(r"^ +KAFKA_(\w+):", COMPOSE, re.MULTILINE)
    }
    assert own == {"listeners", "advertised.listeners", "controller.quorum.voters", "log.dirs"}
    assert not own & shared_settings().keys()


@pytest.mark.parametrize("script", ["scripts/setup", "scripts/test", "scripts/lint", ".ci/run"])
def test_a_script_stops_at_what_goes_wrong(script: str) -> None:
    text = (ROOT / script).read_text()
    assert re.search(r"^set -e?uo pipefail$", text, re.MULTILINE)
    assert (ROOT / script).stat().st_mode & 0o111
