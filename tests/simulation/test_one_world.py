"""pytest tests/simulation --seed N, or --replay FILE: one world, and its story."""

import json
from pathlib import Path

import pytest

from tests.simulation.chance import Chance, Replayed, Seeded
from tests.simulation.conftest import wanted
from tests.simulation.story import story_of


def test_one_world(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> None:
    story, broken = story_of(chosen(request.config))
    with capsys.disabled():
        print("", *story, sep="\n")
    assert broken is None, str(broken)


def chosen(config: pytest.Config) -> Chance:
    file, seed = wanted(config, "--replay"), wanted(config, "--seed")
    if file is not None:
        return Replayed(json.loads(Path(str(file)).read_text())["trace"])
    return Seeded(int(str(seed)))
