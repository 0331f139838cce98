"""Options: how many worlds, or one of them with its story."""

import pytest

ONE = "test_one_world"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say how much is tried."""
    group = parser.getgroup("simulation")
    group.addoption("--worlds", type=int, default=30_000, help="how many seeds are tried")
    group.addoption("--seed", type=int, help="one world, with its story")
    group.addoption("--replay", help="the world of a trace's file, with its story")


def wanted(config: pytest.Config, option: str) -> object:
    """An option; it is unknown where pytest was started for more than this folder."""
    return config.getoption(option, default=None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One world is told alone, and only where it is asked for."""
    one = wanted(config, "--seed") is not None or wanted(config, "--replay") is not None
    here = [item for item in items if "tests/simulation/" in item.path.as_posix()]
    gone = {id(item) for item in here if (item.name == ONE) != one}
    config.hook.pytest_deselected(items=[item for item in items if id(item) in gone])
    items[:] = [item for item in items if id(item) not in gone]
