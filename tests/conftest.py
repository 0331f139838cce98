"""Fixtures for every kind of test."""

from collections.abc import Iterator
from secrets import token_hex

import pytest

from tests.kafka.broker import Broker
from tests.kafka.find import any_broker, new_broker


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by itself every test that asks for a broker."""
    for item in items:
        if {"kafka", "own_broker"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.kafka)


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The bootstrap servers of the one broker of this run; do not harm it."""
    with any_broker() as bootstrap:
        yield bootstrap


@pytest.fixture
def own_broker() -> Iterator[Broker]:
    """A new broker to stop, kill, freeze and start again."""
    with new_broker() as broker:
        yield broker


@pytest.fixture
def app_name() -> str:
    """A name that no other test uses, for an app and so for its topics and groups."""
    return f"t{token_hex(5)}"
