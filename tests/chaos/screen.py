"""How far a run is: a moving line on a terminal, else a line now and then. All on stderr."""

import sys
import time
from collections import Counter
from contextlib import AbstractContextManager
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

EVERY = 10.0


class Screen(AbstractContextManager["Screen"]):
    """Shows time, sagas and faults."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._began, self._shown = seconds, time.monotonic(), 0.0
        self._live = Live(console=Console(stderr=True), refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, doing: str, acknowledged: int, told: int, faults: Counter[str]) -> None:
        """Show how it stands."""
        passed = time.monotonic() - self._began
        if self._live.is_started:
            self._live.update(_table(doing, passed, self._seconds, acknowledged, told, faults))
        elif passed - self._shown >= EVERY:
            self._shown = passed
            said = ", ".join(f"{name} {count}" for name, count in sorted(faults.items()))
            print(
                f"chaos: {passed:.0f} s, {doing}: {acknowledged} started, {told} ended; {said}",
                file=sys.stderr,
            )


def _table(
    doing: str, passed: float, seconds: float, acknowledged: int, told: int, faults: Counter[str]
) -> Table:
    table = Table("seconds", "", "started", "ended", *sorted(faults))
    row = [f"{passed:.0f} of {seconds:.0f}", doing, str(acknowledged), str(told)]
    table.add_row(*row, *(str(faults[name]) for name in sorted(faults)))
    return table
