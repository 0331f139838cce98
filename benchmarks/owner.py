"""The owner: the pod, in a process of its own, as a user would start it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

COMMAND = [str(Path(sys.executable).with_name("sagalog")), "run", "benchmarks.orders:app"]


class Owner:
    """`sagalog run benchmarks.orders:app`, to be measured, killed and started again."""

    def __init__(self, app: str, url: str, folder: Path) -> None:
        self.calls = folder / "calls.txt"
        self._log = folder / "owner.log"
        self._environment = os.environ | {
            "BENCH_APP": app,
            "BENCH_CALLS": str(self.calls),
            "SAGALOG_URL": url,
            "SAGALOG_MEMBER": "bench",
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._process is not None, "asked before it was started"
        return self._process.pid

    def start(self) -> None:
        """Start it, the first time or again."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a command of this checkout
                COMMAND, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End it in order, or else by force."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def died(self) -> bool:
        """Whether it has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def said(self) -> str:
        """The end of what it has written to its log."""
        return self._log.read_text(errors="replace")[-4000:]

    def count(self, prefix: str, *handlers: str) -> int:
        """How many calls of `handlers` (all, without) its journal has for such orders."""
        if not self.calls.exists():
            return 0
        lines = (line.split() for line in self.calls.read_text().splitlines())
        return sum(
            id_.startswith(prefix) and (not handlers or name in handlers) for name, id_ in lines
        )
