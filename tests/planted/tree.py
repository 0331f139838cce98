"""A copy of the sources in a folder of its own, with a bug in it or without."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.house.tree import PORTIONS, ROOT
from tests.planted.bug import Bug

_LEFT_OUT = shutil.ignore_patterns("planted-*", ".hypothesis", "*.db", "*.lock")
_PROBE = "import {modules}; print(*sagalog.engine.__path__, *sagalog.streams.__path__)"


class Unsound(Exception):
    """The copy cannot be judged: the patch does not apply, or what it makes does not import."""


class Tree:
    """A copy. Compiled files come along, so that only what is patched is compiled anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in (*PORTIONS, "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=_LEFT_OUT)
        shutil.copy(ROOT / "pyproject.toml", folder)

    def plant(self, bug: Bug) -> None:
        """Put the bug in. Raises Unsound."""
        done = self._git("apply", str(bug.path))
        if done.returncode:
            raise Unsound(f"{bug.path.name} no longer applies: {done.stderr.strip()}")
        # Without its name: a cached `import` must not decide which source counts.
        modules = ", ".join(sorted({_module(path) for path in bug.changed} | _ALWAYS))
        probe = self.run("-c", _PROBE.format(modules=modules), seconds=60)
        if probe.returncode:
            raise Unsound(f"with {bug.path.name} nothing can be imported: {probe.stdout[-600:]}")
        first = [Path(path) for path in probe.stdout.split()[:1]]
        if first != [self.folder / "engine/sagalog/engine"]:
            raise Unsound(f"another copy is imported: {probe.stdout}")

    def _git(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        # Outside of any repository: else git takes the copy for a part of that and skips files.
        env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        env["GIT_CEILING_DIRECTORIES"] = str(self.folder.parent)
        return subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def run(
        self, *arguments: str, seconds: float, settings: Sequence[tuple[str, str]] = ()
    ) -> "subprocess.CompletedProcess[str]":
        """Run this Python on the copy. Raises subprocess.TimeoutExpired."""
        paths = [self.folder, *(self.folder / name for name in PORTIONS)]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), **dict(settings)}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )


_ALWAYS = {"sagalog.engine", "sagalog.streams", "sagalog.streams.pod"}


def _module(path: str) -> str:
    return ".".join(Path(path).with_suffix("").parts[1:])


@contextmanager
def planted(bug: Bug | None) -> Iterator[Tree]:
    """A copy with this bug in it, or without any, for as long as the block lasts."""
    with TemporaryDirectory(prefix="planted-") as folder:
        tree = Tree(Path(folder).resolve())
        if bug is not None:
            tree.plant(bug)
        yield tree
