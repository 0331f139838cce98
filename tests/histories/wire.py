"""The types of the wire as a version had them, and which changes old and new readers can bear.

Every version's folder holds them in `wire.json`. Under one name a type may gain fields with a
default, and nothing else: not a word more in an enumeration, since old code takes a fact with an
unknown word for garbage, passes it over, and comes to another state than new code does.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from sagalog.schemas.catalogue import TYPES
from tests.histories.canonical import dumps, plain
from tests.histories.history import HERE, grown, kept

FILE = "wire.json"

Wire = Mapping[str, Mapping[str, Any]]
"""By the name of a type on the wire, or of a part of one: its fields, each [type] or
[type, default]."""


def today() -> Wire:
    """The types of this code."""
    parts: dict[str, dict[str, Any]] = {}
    for name, type_ in TYPES.items():
        parts[name] = _fields(type_, parts)
    return parts


def recorded(version: str) -> Wire:
    """The types of a version."""
    return dict(json.loads((HERE / version / FILE).read_text()))


def write(version: str, *, anew: bool = False) -> None:
    """Keep the types of this code; those that are kept stay as they are, unless `anew`."""
    types = today() if anew else grown(kept(version, FILE), today())
    lines = ",\n".join(f"{dumps(name)}: {dumps(said)}" for name, said in sorted(types.items()))
    (HERE / version / FILE).write_text(f"{{\n{lines}\n}}\n")


def _fields(type_: type[Any], parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    hints = get_type_hints(type_)
    said: dict[str, Any] = {}
    for field in fields(type_):
        made = field.default if field.default_factory is MISSING else field.default_factory()
        usual = [] if made is MISSING else [plain(made, {})]
        said[field.name] = [_named(hints[field.name], parts), *usual]
    return said


def _named(hint: Any, parts: dict[str, dict[str, Any]]) -> Any:
    """A type in words that no library may change."""
    inner = [one for one in get_args(hint) if one is not Ellipsis]
    origin = get_origin(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        if hint.__name__ not in parts:
            parts[hint.__name__] = {}
            parts[hint.__name__] = _fields(hint, parts)
        return hint.__name__
    if origin is Literal:
        return {"one of": sorted(inner)}
    if origin in (Union, UnionType):
        return {"either": sorted((_named(one, parts) for one in inner), key=dumps)}
    if origin is tuple:
        kind = "list of" if len(get_args(hint)) > len(inner) else "row of"
        return {kind: [_named(one, parts) for one in inner]}
    if origin is dict:
        return {"object of": _named(inner[1], parts)}
    return {NoneType: "null", Any: "anything"}.get(hint) or hint.__name__


def changes(then: Wire, now: Wire) -> Iterator[str]:
    """What of a version's types is not as it was, but for new fields with a default."""
    for name in then.keys() & now.keys():
        for field in sorted(then[name].keys() | now[name].keys()):
            before, after = then[name].get(field), now[name].get(field)
            new = before is None and after is not None and len(after) > 1
            if not new and before != after:
                yield f"{name}.{field}: {dumps(before)} is now {dumps(after)}"
