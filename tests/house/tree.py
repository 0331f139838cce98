"""What the tests of the house look at: its portions, its Python files, its pages."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PORTIONS = {name: ROOT / name / "sagalog" / name for name in ("engine", "schemas", "streams")}
CODE = (*PORTIONS, "tests", "scripts", "examples", "benchmarks")


def python_files(*folders: str) -> Iterator[Path]:
    """Walk the Python files of some folders of the root, or of all that hold code."""
    for folder in folders or CODE:
        yield from sorted((ROOT / folder).rglob("*.py"))


def pages() -> list[Path]:
    """List the pages that users read, whose code must run."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def short(path: Path) -> str:
    """Name a file as people do, from the root."""
    return path.relative_to(ROOT).as_posix()
