"""Where things are, what they are called and how long they may get (CONTRIBUTING.md)."""

import ast
from pathlib import Path

import pytest

from tests.house.tree import PORTIONS, ROOT, python_files, short

MAX_FILE = 400
MAX_FUNCTION = 40
# Such names say nothing about what is inside, so everything ends up there.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "manager", "base", "common", "impl", "misc"}


def long_functions(source: str) -> list[str]:
    """List the functions whose text, without decorators, is longer than allowed."""
    return [
        f"{node.name}: {length} lines"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION
    ]


@pytest.mark.parametrize("portion", PORTIONS)
def test_a_portion_is_typed_and_hides_no_other(portion: str) -> None:
    assert (PORTIONS[portion] / "py.typed").is_file()
    namespace = PORTIONS[portion].parent
    assert [entry.name for entry in namespace.glob("*.py")] == [], "this would hide the other two"
    assert [entry.name for entry in (ROOT / portion).glob("*.py")] == []


@pytest.mark.parametrize("path", [*python_files()], ids=short)
def test_a_file_is_short_and_named_for_what_it_holds(path: Path) -> None:
    source = path.read_text()
    assert len(source.splitlines()) <= MAX_FILE
    assert long_functions(source) == []
    assert not EMPTY_NAMES & {
        part.strip("_") for part in path.relative_to(ROOT).with_suffix("").parts
    }


def test_a_planted_long_function_is_found() -> None:
    body = "    x = 1\n" * MAX_FUNCTION
    assert long_functions(f"class A:\n  def f(self):\n{body}") == ["f: 41 lines"]
