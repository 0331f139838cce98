"""What the tests of the command line type, and the pods that they start."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from sagalog.streams.cli.app import app

HERE = Path(__file__).parent
PROGRAM = str(Path(sys.executable).parent / "sagalog")
SOON = 20.0
"""Seconds for what must come; nothing waits so long when all is well."""


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class Shell:
    """A directory with a log of its own, in which commands are typed."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"sqlite:{self.folder / 'sagalog.db'}"

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SAGALOG", "KAFKA"))}
        return kept | {"SAGALOG_URL": self.url, "SAGALOG_APP": "shop", "USER": "eva"} | self.env

    def type(self, *words: str, stdin: str | None = None) -> Said:
        """Run a command in this process."""
        before = os.environ.copy()
        os.environ.clear()
        os.environ.update(self.environment())
        try:
            result = CliRunner().invoke(app, list(words), input=stdin)
        finally:
            os.environ.clear()
            os.environ.update(before)
        return Said(result.exit_code, result.stdout, result.stderr)

    def run(self, *words: str, timeout: float = SOON) -> Said:
        """Run a command as a process of its own."""
        done = subprocess.run(
            [PROGRAM, *words],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def running(self, *words: str) -> Generator["Running"]:
        """A command that is still running; killed at the end of the block if it then is."""
        process = subprocess.Popen(
            [PROGRAM, *words],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield Running(process)
            finally:
                process.kill()

    @contextmanager
    def pod(self, *words: str) -> Generator["Running"]:
        """A pod that has taken its partitions."""
        with self.running("run", "shop:app", "--json", *words) as pod:
            pod.takes(0, 1, 2, 3)
            yield pod


@dataclass(frozen=True, slots=True)
class Running:
    """A process, and what it has said so far."""

    process: "subprocess.Popen[str]"

    def takes(self, *partitions: int) -> None:
        """Wait until it tells of these partitions."""
        assert self.process.stdout is not None, "its stdout is a pipe"
        line = self.process.stdout.readline()
        assert line, self.ended()
        assert json.loads(line)["partitions"] == list(partitions)

    def says(self, part: str) -> str:
        """Wait for a line on stderr with `part` in it."""
        assert self.process.stderr is not None, "its stderr is a pipe"
        for line in self.process.stderr:
            if part in line:
                return line
        raise AssertionError(f"it ended without saying {part!r}")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> Said:
        """Wait until it has ended by itself."""
        out, err = self.process.communicate(timeout=SOON)
        return Said(self.process.returncode, out, err)


def new_shell(folder: Path, **env: str) -> Shell:
    """A directory with the shop in it, and no log yet."""
    (folder / "shop.py").write_text((HERE / "shop.py").read_text())
    return Shell(folder, env)
