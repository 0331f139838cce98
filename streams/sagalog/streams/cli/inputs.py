"""JSON that people give: on the command line, in a file, or through a pipe."""

import sys
from pathlib import Path

import orjson

from sagalog.schemas.definition import Json
from sagalog.streams.cli.reporting import Complaint


def given_input(text: str | None, file: Path | None) -> Json:
    """The input as an argument (`-` for stdin) or from a file; None where there is none."""
    if text is not None and file is not None:
        raise Complaint("the input is given twice: as an argument and by --input-file")
    if file is not None:
        return parsed(contents(file), str(file))
    if text is None:
        return None
    return parsed(sys.stdin.buffer.read(), "stdin") if text == "-" else parsed(text, "the input")


def contents(file: Path) -> bytes:
    """A file's bytes; `-` is stdin. Raises Complaint."""
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise Complaint(f"{file} cannot be read: {error.strerror}") from error


def parsed(text: bytes | str, what: str) -> Json:
    """A JSON value. Raises Complaint, which says where it is no JSON."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        message = f"{what} is not JSON: {error.msg} ({place}){_hint(text)}"
        raise Complaint(message) from error


def _hint(text: bytes | str) -> str:
    if isinstance(text, str) and text[:1].isalpha() and text not in ("true", "false", "null"):
        return f""". A text needs its quotes: '"{text}"'"""
    return ""
