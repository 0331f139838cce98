"""The examples on the page are what the codec reads, and what it writes again."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import pytest

from sagalog.schemas import Envelope, decode
from sagalog.schemas.catalogue import NAMES
from sagalog.schemas.definition import compact
from sagalog.schemas.facts import Started

PAGE = (Path(__file__).parents[2] / "docs" / "wire-format.md").read_text()
EXAMPLES: list[dict[str, Any]] = [
    orjson.loads(text)
    for text in re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example["type"]))
def test_an_example_is_what_the_codec_writes(example: dict[str, Any]) -> None:
    message = decode(orjson.dumps(example))
    assert isinstance(message, Envelope)
    data = asdict(message.data)
    if isinstance(message.data, Started):
        data["definition"] = orjson.loads(compact(message.data.definition))
    assert orjson.loads(orjson.dumps(data)) == example["data"]
    assert message.subject == example["subject"]


def test_every_type_is_on_the_page() -> None:
    assert [name for name in NAMES.values() if f"`{name}`" not in PAGE] == ["sagalog.reply.v1"]
