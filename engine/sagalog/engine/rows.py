"""Rows of the table topic: a folded state as bytes, and back.

A row is a JSON array of the state's fields, in an order that never changes. What is as usual
at its end is left out, so a new field at the end is no news to the version before while
nobody uses it. A row that the version before must not read at all begins with a number.
Its definition, the same for many, stands in a row of its own under its digest.
"""

from hashlib import blake2b
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
from pydantic import TypeAdapter, ValidationError

from sagalog.engine.instance import Instance, StepState
from sagalog.engine.payload import kept
from sagalog.schemas.definition import Definition, compact, parse, strangers

ROW: tuple[str, ...] = (
    *("run", "status", "definition", "input", "fingerprint", "retention", "started_at"),
    *("offset", "ended_at", "result", "key", "steps", "reply_to", "deadline", "priority"),
    *("parent", "delivered", "tenant", "cause", "error", "undoing", "undo_number"),
    *("undo_delivered", "letters", "confirm", "traceparent", "unreadable"),
    *("beat", "claim"),
)
"""The fields of a row by their places: new ones go last, wherever they stand in the state."""

_NEEDED = object()
_USUAL: list[Any] = [Instance._field_defaults.get(name, _NEEDED) for name in ROW]
_AS_ROW = itemgetter(*(Instance._fields.index(name) for name in ROW))
_AS_STATE = itemgetter(*(ROW.index(name) for name in Instance._fields))
_STATE = TypeAdapter(Instance)
_DEFINITION, _INPUT, _STEPS = (ROW.index(name) for name in ("definition", "input", "steps"))
_NO_MORE = _USUAL[_STEPS:]
_SUMMARY = [ROW.index(name) for name in ("definition", "status", "ended_at", "retention")]


class Later(ValueError):
    """A row of a later version, which holds more than this code can keep."""


class Definitions:
    """The definitions of a partition's instances, each held once, by digest, while used."""

    def __init__(self) -> None:
        self._by_digest: dict[str, Definition] = {}
        self._digests: dict[int, str] = {}
        self._uses: dict[str, int] = {}
        self._later: set[str] = set()
        self.changed: dict[str, None] = {}

    def intern(self, definition: Definition) -> Definition:
        """The one object that stands for this definition."""
        if id(definition) in self._digests:
            return definition
        digest = blake2b(compact(definition), digest_size=9).hexdigest()
        return self._hold(digest, definition)

    def add(self, digest: str, row: bytes) -> None:
        """Hold the definition of a row from now on. Raises ValueError for what is none."""
        said = orjson.loads(row)
        try:
            definition = parse(row)
        except ValidationError:
            if not {"kind", "name", "steps"} <= said.keys():
                raise
            self._later.add(digest)
            return
        if strangers(said):
            self._later.add(digest)
        else:
            self._hold(digest, definition)

    def keep(self) -> None:
        """Drop none of those that are held: a row that cannot be read may need it."""
        for digest in self._by_digest:
            self.use(digest, 1)

    def _hold(self, digest: str, definition: Definition) -> Definition:
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
        if digest in self._later:
            raise Later
        return self._by_digest[digest]


def pack(state: Instance, definitions: Definitions) -> bytes:
    """A state as its row."""
    fields: list[Any] = list(_AS_ROW(state))
    fields[_DEFINITION] = definitions.digest(state.definition)
    fields[_INPUT] = orjson.Fragment(state.input)
    if fields[_STEPS:] == _NO_MORE:  # of most that have ended; the loop alone takes a while
        del fields[_STEPS:]
    while fields[-1] == _USUAL[len(fields) - 1]:
        fields.pop()
    return kept(fields, _said)


def _said(value: Any) -> list[Any]:
    """A part of a state by the places of its fields; of a step what is as usual is left out."""
    fields = list(value)
    if type(value) is StepState:
        while fields and fields[-1] == _UNTOUCHED[len(fields) - 1]:
            fields.pop()
    return fields


_UNTOUCHED: list[Any] = list(StepState())


def unpack(row: bytes, definitions: Definitions) -> Instance:
    """The state of a row. Raises Later, and ValueError or LookupError for what is no row."""
    fields = _read(row)
    fields[_DEFINITION] = definitions[fields[_DEFINITION]]
    fields[_INPUT] = kept(fields[_INPUT])
    try:
        return _STATE.validate_python(_AS_STATE(fields))
    except ValidationError:
        if any(len(step) > len(_UNTOUCHED) for step in fields[_STEPS]):
            raise Later from None
        raise


def _read(row: bytes) -> list[Any]:
    fields = orjson.loads(row)
    if type(fields[0]) is not str or len(fields) > len(ROW):
        raise Later
    fields += _USUAL[len(fields) :]
    return fields  # type: ignore[no-any-return]


class Summary(NamedTuple):
    """What a row says without being unpacked whole. Times in milliseconds."""

    digest: str
    status: str
    ended_at: int
    retention: int


def summary(row: bytes) -> Summary:
    """The summary of a row."""
    fields = _read(row)
    return Summary(*(fields[index] for index in _SUMMARY))
