"""Links between the pages lead somewhere, and tests that the pages name are there."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.tree import ROOT, pages, short

PAGES = [*pages(), ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
LINK = re.compile(r"\[[^\]]*\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
TEST = re.compile(r"\[`(test_\w+)`\]\(([^)#\s]+\.py)\)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return FENCED.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as they are linked to."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_a_link_leads_somewhere(page: Path) -> None:
    lost: list[str] = []
    for path, anchor in LINK.findall(prose(page)):
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(f"{path}#{anchor}" if anchor else path)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_a_test_that_a_page_names_is_there(page: Path) -> None:
    lost: list[str] = []
    for name, path in TEST.findall(prose(page)):
        tree = ast.parse((page.parent / path).read_text())
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        if name not in {node.name for node in ast.walk(tree) if isinstance(node, functions)}:
            lost.append(name)
    assert lost == []


def test_every_page_of_the_docs_can_be_found() -> None:
    """Follow the links from the README."""
    found, todo = set[Path](), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        found.add(page)
        linked = {(page.parent / path).resolve() for path, _ in LINK.findall(prose(page)) if path}
        todo += [path for path in linked - found if path.suffix == ".md" and path.is_file()]
    assert [short(page) for page in pages() if page not in found] == []
