"""States and actions as JSON that can be compared for ever, byte by byte.

Sorted keys, and what is as usual left out. **What is usual is what was usual when the history was
recorded**: the folder of a version holds, in `layout.json`, every field of that version with its
default. So of today's state

- a field that the version knew is left out where it has that version's default. If today's default
  is another one, the two differ and the comparison fails. That is as it should be: definitions
  travel without what is usual, so whoever changes a default changes sagas that are under way;
- a field that is new since then is left out where it has today's default. So a new field with a
  default breaks no old history, and one that an old log fills with something else does;
- a field that is gone was left out if the old log never filled it. Else the comparison fails.

A renamed field is one that is gone and one that is new: whoever needs that says here what became
of the old name. Rows of tables hold no names and do not mind.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, get_args

from sagalog.engine.instance import Instance, Letter, StepState
from sagalog.engine.pending import Action
from sagalog.schemas.definition import Definition, RetrySpec, StepSpec
from sagalog.schemas.facts import Failure
from sagalog.schemas.requests import Parent, ReplyTo

Layout = Mapping[str, Mapping[str, list[Any]]]
"""By class and field: [] for a field that must be given, [default] for one that need not."""

TYPES: tuple[type[Any], ...] = (
    *(Instance, StepState, Letter, Definition, StepSpec, RetrySpec, Failure, Parent, ReplyTo),
    *get_args(Action),
)


def today() -> Layout:
    """The layout of this code."""
    return {
        type_.__name__: {
            name: [] if default is MISSING else [plain(default, {})]
            for name, default in _fields(type_)
        }
        for type_ in TYPES
    }


def text(value: Any, layout: Layout) -> str:
    """A state, or whatever it holds, as the bytes that are compared."""
    return dumps(plain(value, layout))


def dumps(value: Any) -> str:
    """Plain data, always written the same: `json` writes a float as its shortest text."""
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )


def plain(value: Any, layout: Layout) -> Any:
    """The same as plain data, without what was usual in the version of `layout`."""
    if _structured(value):
        return _without_the_usual(value, layout)
    if isinstance(value, bytes):
        return json.loads(value)  # an input, which a state keeps as JSON
    if isinstance(value, dict):
        return {str(key): plain(one, layout) for key, one in value.items()}
    return [plain(one, layout) for one in value] if isinstance(value, list | tuple) else value


def _without_the_usual(value: Any, layout: Layout) -> dict[str, Any]:
    known = layout.get(type(value).__name__, {})
    said: dict[str, Any] = {}
    for name, default in _fields(type(value)):
        one = plain(getattr(value, name), layout)
        now = [] if default is MISSING else [plain(default, layout)]
        if dumps([one]) != dumps(known.get(name, now)):
            said[name] = one
    return said


def _structured(value: Any) -> bool:
    named = isinstance(value, tuple) and hasattr(value, "_fields")
    return named or (is_dataclass(value) and not isinstance(value, type))


def _fields(type_: type[Any]) -> Iterator[tuple[str, Any]]:
    """Each field with its default, or MISSING."""
    if is_dataclass(type_):
        for field in fields(type_):
            made = field.default_factory
            yield field.name, field.default if made is MISSING else made()
        return
    defaults = getattr(type_, "_field_defaults", {})
    for name in getattr(type_, "_fields", ()):
        yield name, defaults.get(name, MISSING)


def words(alias: Any) -> set[str]:
    """All texts of a Literal, or of a union of them."""
    if isinstance(alias, str):
        return {alias}
    parts = get_args(alias) if not isinstance(alias, UnionType) else alias.__args__
    return {word for part in parts for word in words(part)}
