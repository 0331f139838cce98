"""What Hypothesis makes of our types: JSON, definitions, and every message of the catalogue."""

from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from sagalog.schemas.definition import Definition, RetrySpec, StepSpec
from sagalog.schemas.limits import LimitSpec

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
INTEGERS = st.integers(-(2**53), 2**53)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | FLOATS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
NAMES = st.text("abcXYZ019-_", min_size=1, max_size=6)


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """A graph: each step waits for some of those that come before it in a hidden order."""
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    steps = []
    for number, name in enumerate(names):
        after = draw(st.lists(st.sampled_from(names[:number]), unique=True)) if number else []
        step = StepSpec(
            name=name,
            operation=draw(NAMES | st.just("payments/charge")),
            undo=draw(st.none() | NAMES),
            after=tuple(after),
            retry=draw(retries()),
            undo_retry=draw(retries()),
            timeout=draw(INTEGERS),
            spread=draw(st.booleans()),
            exhausted=draw(st.sampled_from(("turn-back", "park"))),
            input=draw(JSON),
            undo_input=draw(JSON),
        )
        steps.append(step)
    return Definition("saga", draw(NAMES), tuple(draw(st.permutations(steps))))


def retries() -> st.SearchStrategy[RetrySpec]:
    """Policies as a declaration lets them through."""
    return st.builds(
        RetrySpec,
        max_attempts=st.integers(1, 50),
        first=st.integers(0, 10**9),
        factor=st.floats(1, 1000),
        longest=st.integers(0, 10**12),
        jitter=st.floats(0, 1),
        give_up_after=st.integers(0, 10**9),
    )


def limits() -> st.SearchStrategy[LimitSpec]:
    """Limits that can be reckoned with: no other is read."""
    return st.builds(
        LimitSpec,
        concurrency=st.none() | st.integers(0, 10**9),
        rate=st.none() | st.integers(1, 10**9),
        per=st.integers(1, 10**9),
        burst=st.integers(1, 10**9),
        lease=st.integers(100, 10**9),
    )


def messages(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Any message of this type."""
    hints = get_type_hints(cls)
    return st.builds(cls, **{field.name: _values(hints[field.name]) for field in fields(cls)})


def _values(hint: Any) -> st.SearchStrategy[Any]:
    plain: dict[Any, st.SearchStrategy[Any]] = {
        Any: JSON,
        str: TEXT,
        int: INTEGERS,
        float: FLOATS,
        bool: st.booleans(),
        NoneType: st.none(),
        Definition: definitions(),
        RetrySpec: retries(),
        LimitSpec: limits(),
    }
    if hint in plain:
        return plain[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        return st.one_of(*map(_values, arguments))
    if origin is dict:
        return st.dictionaries(_values(arguments[0]), _values(arguments[1]), max_size=3)
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(_values(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(_values, arguments))
    return messages(hint)
