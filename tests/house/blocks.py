"""The fenced blocks of a page, and how they are run.

All blocks of a page share one folder, in the order of the page:

- ```python                     is run as one program with the page's other untitled ones;
                                `await` outside of functions is fine
- ```python title="orders.py"   is written to that file, for other blocks to import or to run
- ```sh (bash, shell, console)  lines that begin with `sagalog` or `python` are run, `make` lines
                                must name real targets, all others (pip, docker ...) are left alone

A `sagalog` line whose comment says Ctrl-C runs until the page has ended; then Ctrl-C must end it
in order. `<!-- not run: REASON -->` on the line above a block leaves that block alone.
"""

import re
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<why>[^\n]+) -->\n)?"
    r"```(?P<language>\w+)(?P<info>[^\n]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
SHELLS = {"sh", "bash", "shell", "console"}


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block; `line` is where its text begins in its page."""

    language: str
    title: str | None
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    """Find the blocks of a page that are to be run."""
    return [
        Block(
            language="sh" if found["language"] in SHELLS else found["language"],
            title=title[1] if (title := re.search(r'title="([\w./-]+)"', found["info"])) else None,
            text=found["text"],
            line=page.count("\n", 0, found.start("text")) + 1,
        )
        for found in BLOCK.finditer(page)
        if found["why"] is None and found["language"] in {"python", *SHELLS}
    ]


def program(page: list[Block]) -> str:
    """Join the untitled Python blocks, keeping the line numbers of the page."""
    text = ""
    for block in page:
        if block.language == "python" and block.title is None:
            text += "\n" * (block.line - 1 - text.count("\n")) + block.text
    return text


def commands(block: Block) -> list[str]:
    """List a shell block's command lines: prompts taken off, continued lines joined."""
    lines = block.text.replace("\\\n", " ").splitlines()
    prompted = [line[2:] for line in lines if line.startswith("$ ")]
    return [line.strip() for line in prompted or lines if line.strip() and not line.startswith("#")]


def write_files(page: list[Block], folder: Path) -> None:
    """Write the titled blocks to the files that they name."""
    for block in page:
        if block.title is not None:
            target = folder / block.title
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text)
