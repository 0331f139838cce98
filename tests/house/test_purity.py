"""The engine decides and the schemas describe: neither does IO, reads a clock or draws a number.

import-linter forbids the usual modules; here everything that is not allowed by name is forbidden,
at any depth of a file.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import python_files, short

PURE = {
    *("__future__", "abc", "base64", "bisect", "collections", "contextlib", "copy", "dataclasses"),
    *("datetime", "decimal", "enum", "functools", "hashlib", "heapq", "inspect", "itertools"),
    *("json", "math", "operator", "re", "string", "struct", "textwrap", "traceback", "types"),
    *("typing", "uuid", "warnings", "zlib", "pydantic", "pydantic_core", "orjson"),
    # What is due when: pure, and the rules of the zones, which are data.
    *("cronsim", "zoneinfo"),
}
ALLOWED = {
    "schemas": {*PURE, "sagalog.schemas"},
    "engine": {*PURE, "sagalog.schemas", "sagalog.engine"},
}
# What inside the allowed modules reads a clock, draws a number or knows the machine.
IMPURE_IDS = {"uuid1", "uuid4", "uuid6", "uuid7", "getnode"}
CLOCKS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today")
# `hash` of a string is another one in each process, and the rest reach outside.
IMPURE_CALLS = {"hash", "open", "input", "print", "exec", "eval", "compile", "__import__"}


def imported(node: ast.AST) -> Iterator[str]:
    """Name the modules that a statement imports; `sagalog` counts with its portion."""
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [node.module or "."]
    for name in names:
        yield ".".join(name.split(".")[: 2 if name.startswith("sagalog") else 1])


def impurities(node: ast.AST) -> Iterator[str]:
    """Name what a node uses that makes two runs differ."""
    if isinstance(node, ast.ImportFrom):
        yield from IMPURE_IDS.intersection(alias.name for alias in node.names)
    elif isinstance(node, ast.Attribute):
        if node.attr in IMPURE_IDS or ast.unparse(node).endswith(CLOCKS):
            yield node.attr
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        yield from IMPURE_CALLS & {node.func.id}


def faults(source: str, allowed: set[str]) -> list[str]:
    """List every forbidden import and use in a source, with its line."""
    return [
        f"line {getattr(node, 'lineno', 0)}: {name}"
        for node in ast.walk(ast.parse(source))
        for name in (*(set(imported(node)) - allowed), *impurities(node))
    ]


@pytest.mark.parametrize("path", [*python_files("schemas", "engine")], ids=short)
def test_is_pure(path: Path) -> None:
    portion = short(path).partition("/")[0]
    assert faults(path.read_text(), ALLOWED[portion]) == []


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio",
        "def f():\n    import time",
        "from os import path",
        "import aiokafka.client",
        "from sagalog.streams import connect",
        "from uuid import uuid4",
        "import uuid\nx = uuid.uuid1()",
        "from datetime import datetime\nx = datetime.now()",
        "import datetime\nx = datetime.date.today()",
        "x = hash('a')",
        "open('x')",
        "from . import x",
    ],
)
def test_a_planted_impurity_is_found(source: str) -> None:
    assert len(faults(source, ALLOWED["engine"])) == 1


def test_the_schemas_do_not_know_the_engine() -> None:
    assert faults("import sagalog.engine", ALLOWED["schemas"]) == ["line 1: sagalog.engine"]
