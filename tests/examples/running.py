"""Runs a program of this checkout as a stranger does: no settings of this machine."""

import os
import subprocess
import sys
from pathlib import Path

from tests.house.tree import ROOT


def run(*arguments: str, folder: Path = ROOT, **more: str) -> str:
    """Run it with this Python and give its stdout; if it fails, its output is the failure."""
    kept = {key: os.environ[key] for key in os.environ if not key.startswith("SAGALOG")}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=kept | more,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def pytest_in(folder: Path) -> tuple[int, str]:
    """Run the tests of a folder as a project of its own; the exit code, and what it said."""
    kept = {key: os.environ[key] for key in os.environ if not key.startswith(("SAGALOG", "PYTEST"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:asyncio", "-W", "error", "."],
        cwd=folder,
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    return done.returncode, done.stdout
