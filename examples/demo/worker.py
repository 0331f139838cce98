"""The worker of the demo: a process of its own that runs the shop's handlers."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

COMMAND = [str(Path(sys.executable).with_name("sagalog")), "run", "examples.demo.shop:app"]


class Worker:
    """`sagalog run examples.demo.shop:app`, to be killed and started again."""

    def __init__(self, app: str, url: str, folder: Path) -> None:
        self._log = folder / "worker.log"
        self._environment = os.environ | {
            "DEMO_APP": app,
            "DEMO_FOLDER": str(folder),
            "SAGALOG_URL": url,
            "SAGALOG_MEMBER": "worker",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process behind, whatever happened."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def start(self) -> int:
        """Start it; its process id."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a command of this checkout
                COMMAND, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self._process.pid

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._process is not None, "asked before it was started"
        return self._process.pid

    def kill(self) -> None:
        """End it as the kernel does when memory is short: it gets no chance to tidy up."""
        assert self._process is not None, "killed before it was started"
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to end in order; its exit status."""
        assert self._process is not None, "stopped before it was started"
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(20)

    def died(self) -> bool:
        """Whether it has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def said(self) -> str:
        """The end of what it has written to its log."""
        return self._log.read_text(errors="replace")[-4000:]
