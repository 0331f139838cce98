"""The public names of the three portions and of the test kit, and the file that freezes them.

After a change on purpose:  .venv/bin/python -m tests.house.exports --write
"""

import ast
import importlib
import sys
from pathlib import Path

from tests.house.tree import PORTIONS

PUBLIC = PORTIONS | {"streams.testing": PORTIONS["streams"] / "testing"}
FROZEN = Path(__file__).with_name("exports.txt")


def exported(portion: str) -> list[str]:
    """Read a portion's `__all__`."""
    return list(importlib.import_module(f"sagalog.{portion}").__all__)


def bound(portion: str) -> set[str]:
    """Name what a portion's `__init__` binds for others: public imports and definitions."""
    tree = ast.parse((PUBLIC[portion] / "__init__.py").read_text())
    names: set[str] = set()
    for node in ast.walk(tree):  # those imported for type checkers alone, too
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("sagalog."):
            names |= {alias.asname or alias.name for alias in node.names}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
    return {name for name in names if not name.startswith("_")}


def listing() -> str:
    """Write all public names as the frozen file has them, one in a line."""
    return "".join(
        f"sagalog.{portion}.{name}\n" for portion in PUBLIC for name in exported(portion)
    )


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    FROZEN.write_text(listing())
