"""Fixtures of the command line's tests."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.streams.cli.shell import Shell, new_shell


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Take back what a command does to the process that it is normally alone in."""
    handlers, level = logging.root.handlers[:], logging.getLogger("sagalog").level
    path = sys.path[:]
    yield
    logging.root.handlers[:] = handlers
    logging.getLogger("sagalog").setLevel(level)
    sys.path[:] = path
    sys.modules.pop("shop", None)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A directory with the shop in it and nothing else; it is the current one."""
    monkeypatch.chdir(tmp_path)
    return new_shell(tmp_path)


@pytest.fixture(scope="module")
def open_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shop whose pod runs for all tests of the file."""
    shell = new_shell(tmp_path_factory.mktemp("shop"))
    with shell.pod():
        yield shell


@pytest.fixture
def shop(open_shop: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """That shop, in its directory."""
    monkeypatch.chdir(open_shop.folder)
    return open_shop
