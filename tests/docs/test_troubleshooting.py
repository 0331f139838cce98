"""The sentences that the handbook explains are those that the programs print."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.tree import ROOT, python_files

PAGE = (ROOT / "docs" / "operations.md").read_text().split("## Troubleshooting")[1]
QUOTED = re.findall(r"\*\*`([^`]+)`\*\*", PAGE)
HOLE = "\0"
SHORTEST = 8
"""Letters of a piece that is looked for; shorter ones are names and numbers."""


def literals(path: Path) -> list[str]:
    """The texts of a file, with a hole where a value goes."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            parts = (p.value if isinstance(p, ast.Constant) else HOLE for p in node.values)
            found.append("".join(str(part) for part in parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return found


SAID = [text for path in python_files("engine", "streams") for text in literals(path)]
FRAGMENTS = [
    re.compile(r"[^\0]*?".join(re.escape(part) for part in re.split(r"\0|\{\w+\}", text)))
    for text in SAID
    if sum(len(part) for part in re.split(r"\0|\{\w+\}", text)) >= SHORTEST
]


def pieces(sentence: str) -> list[str]:
    """What of a quoted sentence must be found: without values, omissions and field names."""
    found = re.split(r"\.\.\.|\d+|'[^']*'|\b\w+=|: |\. |\(|\)|\borders(?:\.\w+)?\b", sentence)
    return [piece.strip(" .,") for piece in found if len(piece.strip(" .,")) >= SHORTEST]


@pytest.mark.parametrize("sentence", QUOTED)
def test_a_sentence_is_said_somewhere(sentence: str) -> None:
    if any(text.fullmatch(sentence) for text in FRAGMENTS):
        return
    everything = "\n".join(SAID)
    lost = [
        piece
        for piece in pieces(sentence)
        if piece not in everything and not any(text.search(piece) for text in FRAGMENTS)
    ]
    assert lost == []
