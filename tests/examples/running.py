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
