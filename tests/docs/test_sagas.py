"""Sagas given as data that the pages show are taken by the app that the README shows."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from sagalog.engine import App
from sagalog.streams import connect
from sagalog.streams.cli.loading import load_app
from sagalog.streams.cli.saga_file import read_saga
from tests.house.blocks import blocks, write_files
from tests.house.tree import ROOT

PAGE = (ROOT / "README.md").read_text()
JSON = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    """The app of the README's first saga."""
    write_files(blocks(PAGE), tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "orders", raising=False)
    return load_app("orders:app")


async def test_the_saga_of_the_readme_completes(orders: App, tmp_path: Path) -> None:
    (text,) = JSON.findall(PAGE)
    file = tmp_path / "gift.json"
    await asyncio.to_thread(file.write_text, text)
    saga = read_saga(file)
    async with connect(orders, "memory:") as client:
        handle = await client.start(saga.name, saga.input, steps=saga.steps)
        outcome = await handle.result(10)
    assert outcome.results["charge"] == "receipt for a lamp with a ribbon"
