"""Answers for scripts: one JSON document, or JSON lines, on stdout."""

import sys
from typing import Any

import orjson


def write_json(document: Any) -> None:
    """One document, which eyes can read too."""
    _write(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def write_line(document: Any) -> None:
    """One line of JSON lines."""
    _write(orjson.dumps(document))


def _write(text: bytes) -> None:
    sys.stdout.write(text.decode() + "\n")
    sys.stdout.flush()
