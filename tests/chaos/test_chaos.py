"""Pods, clients and the broker die for ninety seconds while sagas run; no promise is broken."""

from pathlib import Path

import pytest

from tests.chaos.plan import Plan
from tests.chaos.run import run


@pytest.mark.slow
@pytest.mark.kafka
@pytest.mark.timeout(900)
def test_ninety_seconds_of_chaos_break_no_promise(tmp_path: Path) -> None:
    """Where it fails, `python -m tests.chaos judge FOLDER` shows all of it again."""
    print("everything is kept in", tmp_path)
    summary = run(Plan(tmp_path, seed=7, seconds=90))
    assert summary.violations == [], "\n".join(summary.violations[:20])
    assert summary.void == []
