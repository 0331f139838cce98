"""The generated files say what the types say; every type has one."""

from pathlib import Path

import orjson

from docs.generate import DOCS, MESSAGES, files
from sagalog.schemas.catalogue import TYPES


def test_the_schemas_are_up_to_date() -> None:
    wanted = files()
    stale = [path.name for path, text in wanted.items() if not _is(path, text)]
    assert stale == [], "run .venv/bin/python -m docs.generate"
    assert set((DOCS / "schemas").glob("*.json")) <= wanted.keys()


def _is(path: Path, text: bytes) -> bool:
    return path.is_file() and path.read_bytes() == text


def test_every_type_stands_on_a_topic() -> None:
    assert {type_ for types in MESSAGES.values() for type_ in types} == set(TYPES.values())


def test_every_reference_leads_somewhere() -> None:
    document = orjson.loads((DOCS / "asyncapi.json").read_bytes())
    for channel in document["channels"].values():
        for reference in channel["messages"].values():
            name = reference["$ref"].rpartition("/")[2]
            schema = document["components"]["messages"][name]["payload"]["schema"]["$ref"]
            assert (DOCS / schema).is_file()
    for operation in document["operations"].values():
        assert operation["channel"]["$ref"].rpartition("/")[2] in document["channels"]
