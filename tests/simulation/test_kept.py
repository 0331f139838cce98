"""Worlds that failed once, as traces: they run for ever."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.chance import Replayed
from tests.simulation.trials import tried

KEPT = sorted((Path(__file__).parent / "kept").glob("*.json"))


def ids() -> Iterator[str]:
    return (file.stem for file in KEPT)


@pytest.mark.parametrize("file", KEPT, ids=ids())
def test_what_failed_once_holds(file: Path) -> None:
    kept = json.loads(file.read_text())
    said, seen = tried(Replayed(kept["trace"]))
    assert not said, f"{kept['found']}\n{said}"
    assert [what for what in kept["saw"] if not seen[what]] == [], "it shows not what it did"
