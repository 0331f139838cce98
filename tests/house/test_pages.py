"""What README and docs tell a reader to type really works (tests/house/blocks.py says how)."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.house.blocks import Block, blocks, commands, program, write_files
from tests.house.tree import ROOT, pages, short

SECONDS = 60
RUNNER = ROOT / "tests" / "house" / "run_page.py"
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
PAGES = {short(path): found for path in pages() if (found := blocks(path.read_text()))}


def environment(folder: Path) -> dict[str, str]:
    """A reader's shell: this Python's commands first on PATH, no settings of this machine."""
    kept = {key: os.environ[key] for key in os.environ if not key.startswith(("SAGALOG", "KAFKA"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
    return kept | {"PATH": path, "HOME": str(folder)}


def run(command: list[str], folder: Path) -> None:
    """Run a command to its end; if it fails, its output is the failure."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(folder),
        timeout=SECONDS,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}"


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[None]:
    """Keep a command running; then Ctrl-C must end it in order."""
    with subprocess.Popen(command, cwd=folder, env=environment(folder)) as process:
        time.sleep(1)
        try:
            yield
            assert process.poll() is None, f"{shlex.join(command)} ended by itself"
            process.send_signal(signal.SIGINT)
            assert process.wait(SECONDS) == 0, f"{shlex.join(command)} did not end in order"
        finally:
            process.kill()


def run_shell(block: Block, folder: Path, until_the_end: ExitStack) -> None:
    """Run what of a shell block can be run anywhere, and check the rest as far as possible."""
    for line in commands(block):
        words = shlex.split(line, comments=True)
        if words[0] == "make":
            assert {word for word in words[1:] if "=" not in word} <= TARGETS, line
        elif words[0] == "sagalog" and "Ctrl-C" in line:
            until_the_end.enter_context(running(words, folder))
        elif words[0] in {"sagalog", "python"}:
            run(words, folder)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_says(page: str, tmp_path: Path) -> None:
    write_files(PAGES[page], tmp_path)
    if source := program(PAGES[page]):
        (tmp_path / "page.txt").write_text(source)
        run([sys.executable, str(RUNNER), page, "page.txt"], tmp_path)
    with ExitStack() as until_the_end:
        for block in PAGES[page]:
            if block.language == "sh":
                run_shell(block, tmp_path, until_the_end)


PLANTED = """\
```python title="shop.py"
price = 3
```
```python
from asyncio import sleep
from shop import price
```
<!-- not run: needs a bank -->
```python
raise SystemExit(9)
```
```python
await sleep(0)
assert price == 3
```
```console
$ make test LOG=kafka   # all
$ python -c "import shop"
whatever it prints
$ python \\
    shop.py
```
"""


def test_a_planted_page_is_read_as_described(tmp_path: Path) -> None:
    found = blocks(PLANTED)
    assert [block.title for block in found] == ["shop.py", None, None, None]
    assert commands(found[-1])[1:] == ['python -c "import shop"', "python      shop.py"]
    assert program(found).splitlines()[13] == "assert price == 3"
    write_files(found, tmp_path)
    (tmp_path / "page.txt").write_text(program(found))
    run([sys.executable, str(RUNNER), "planted", "page.txt"], tmp_path)
    with ExitStack() as until_the_end:
        run_shell(found[-1], tmp_path, until_the_end)


@pytest.mark.parametrize(
    "wrong", ["make nonsense", "python -c 'raise SystemExit(1)'", "sagalog no"]
)
def test_a_planted_mistake_is_found(wrong: str, tmp_path: Path) -> None:
    (block,) = blocks(f"```sh\n{wrong}\n```\n")
    with ExitStack() as until_the_end, pytest.raises(AssertionError):
        run_shell(block, tmp_path, until_the_end)
