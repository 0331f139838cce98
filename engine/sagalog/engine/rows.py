"""Rows of the table topic: a folded state as bytes, and back.

A row is a JSON array of the state's fields. Its definition, the same for many, stands in
a row of its own under its digest.
"""

from hashlib import blake2b
from typing import Any, NamedTuple

import orjson
from pydantic import TypeAdapter

from sagalog.engine.instance import Instance
from sagalog.engine.payload import kept
from sagalog.schemas.definition import Definition, compact, parse

_STATE = TypeAdapter(Instance)
_DEFINITION_FIELD = Instance._fields.index("definition")
_INPUT_FIELD = Instance._fields.index("input")
_SUMMARY = [Instance._fields.index(n) for n in ("definition", "status", "ended_at", "retention")]


class Definitions:
    """The definitions of a partition's instances, each held once, by digest, while used."""

    def __init__(self) -> None:
        self._by_digest: dict[str, Definition] = {}
        self._digests: dict[int, str] = {}
        self._uses: dict[str, int] = {}
        self.changed: dict[str, None] = {}

    def intern(self, definition: Definition) -> Definition:
        """The one object that stands for this definition."""
        if id(definition) in self._digests:
            return definition
        return self._hold(compact(definition), definition)

    def add(self, row: bytes) -> Definition:
        """The definition of a row, held from now on."""
        return self._hold(row, parse(row))

    def _hold(self, row: bytes, definition: Definition) -> Definition:
        digest = blake2b(row, digest_size=9).hexdigest()
        if digest not in self._by_digest:
            self._by_digest[digest] = definition
            self._digests[id(definition)] = digest
            self._uses[digest] = 0
            self.changed[digest] = None
        return self._by_digest[digest]

    def use(self, digest: str, by: int) -> None:
        """Count instances in (`by` 1) and out (-1); the last one out drops the definition."""
        self._uses[digest] += by
        if not self._uses[digest]:
            del self._digests[id(self._by_digest.pop(digest))], self._uses[digest]
            self.changed[digest] = None

    def digest(self, definition: Definition) -> str:
        """The digest under which a held definition's row stands."""
        return self._digests[id(definition)]

    def row(self, digest: str) -> bytes | None:
        """The row of a definition; None where none is held."""
        held = self._by_digest.get(digest)
        return None if held is None else compact(held)

    def __getitem__(self, digest: str) -> Definition:
        return self._by_digest[digest]


def pack(state: Instance, definitions: Definitions) -> bytes:
    """A state as its row."""
    fields: list[Any] = list(state)
    fields[_DEFINITION_FIELD] = definitions.digest(state.definition)
    fields[_INPUT_FIELD] = orjson.Fragment(state.input)
    return kept(fields)


def unpack(row: bytes, definitions: Definitions) -> Instance:
    """The state of a row."""
    fields = orjson.loads(row)
    fields[_DEFINITION_FIELD] = definitions[fields[_DEFINITION_FIELD]]
    fields[_INPUT_FIELD] = kept(fields[_INPUT_FIELD])
    return _STATE.validate_python(fields)


class Summary(NamedTuple):
    """What a row says without being unpacked whole. Times in milliseconds."""

    digest: str
    status: str
    ended_at: int
    retention: int


def summary(row: bytes) -> Summary:
    """The summary of a row."""
    fields = orjson.loads(row)
    return Summary(*(fields[index] for index in _SUMMARY))
