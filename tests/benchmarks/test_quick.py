"""The benchmarks run, and print what scripts read: one JSON object for each workload."""

import json

import pytest

from benchmarks.driving import drive
from benchmarks.orders import payload
from tests.examples.running import run


@pytest.mark.slow
def test_quick_runs_print_the_figures() -> None:
    said = run("-m", "benchmarks", "--log", "embedded", "--quick", "W1", "W6")
    first, second = map(json.loads, said.splitlines())
    assert (first["peer"], first["workload"], first["log"]) == ("sagalog", "W1", "embedded")
    assert first["sagas_per_s"] > 0
    assert first["owner_cpu_us_per_saga"] > 0
    assert first["rss_mb"].keys() == {"owner", "client"}
    assert len(first["cores_used_by_others"]) == len(first["runs"]) == 1
    assert second["workload"] == "W6"
    assert second["checks_per_s"] > 0
    assert (second["duplicates"], second["answers_differing"]) == (0, 0)


def test_the_payload_is_the_peers() -> None:
    assert len(json.dumps(payload("w1-0-000000"), separators=(",", ":"))) == 200


async def test_driving_counts_what_was_answered() -> None:
    asked: list[int] = []

    async def one(number: int) -> None:
        asked.append(number)

    driven = await drive(one, 3, count=10)
    assert sorted(asked) == list(range(10))
    assert (driven.done, len(driven.waits)) == (10, 10)
