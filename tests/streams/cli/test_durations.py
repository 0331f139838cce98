"""Durations and times as people type and read them."""

import pytest

from sagalog.streams.cli.durations import seconds, since, spoken
from sagalog.streams.cli.reporting import Complaint


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90", 90), ("90s", 90), ("1.5m", 90), ("2 h", 7200), ("7d", 604800), ("250ms", 0.25)],
)
def test_typed(text: str, expected: float) -> None:
    assert seconds(text, "--x") == expected


@pytest.mark.parametrize("text", ["", "soon", "-5s", "5 parsecs", "1e3"])
def test_mistyped(text: str) -> None:
    with pytest.raises(Complaint, match=r"--x: .* is no duration"):
        seconds(text, "--x")


def test_since() -> None:
    assert since("1h", 10_000_000) == 10_000_000 - 3_600_000
    assert since("2026-11-22T17:30:00+00:00", 0) == 1_795_368_600_000


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1520, "1.52 s"),
        (59_999, "60 s"),
        (185_000, "3 m 05 s"),
        (7_800_000, "2 h 10 m"),
        (356_400_000, "4 d 3 h"),
    ],
)
def test_spoken(milliseconds: int, expected: str) -> None:
    assert spoken(milliseconds) == expected
