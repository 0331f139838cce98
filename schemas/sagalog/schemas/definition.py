"""What a saga or an operation is made of, as it travels in its first fact."""

from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple

from pydantic import TypeAdapter

Json = Any
"""A JSON value as orjson reads it: None, bool, int, float, str, list or dict."""

Priority = Literal["high", "normal", "low"]
PRIORITIES: tuple[Priority, ...] = ("high", "normal", "low")

Kind = Literal["saga", "operation"]


@dataclass(frozen=True, slots=True)
class RetrySpec:
    """When to call a handler again. Durations in milliseconds.

    The delay before attempt n+1 is `min(first * factor**(n-1), longest)`, of which the
    share `jitter` (0 to 1) is drawn at random.
    `give_up_after` bounds how long `Unavailable` may go on before the step parks.
    """

    max_attempts: int = 3
    first: int = 500
    factor: float = 2.0
    longest: int = 60_000
    jitter: float = 0.2
    give_up_after: int = 3_600_000


@dataclass(frozen=True, slots=True)
class StepSpec:
    """One step of a definition. `timeout` in milliseconds, 0 for none.

    `operation` is `name` for a handler of this app, `app/name` for another app's.
    `undo` names the handler that takes the step back; a step that runs elsewhere needs
    none here, since its own app knows how.
    `input` and `undo_input` stand for the saga's input where they are not None.
    `claimed` says that a caller may run it, before its life has a name.
    """

    name: str
    operation: str
    undo: str | None = None
    after: tuple[str, ...] = ()
    retry: RetrySpec = RetrySpec()
    undo_retry: RetrySpec = RetrySpec()
    timeout: int = 0
    undo_timeout: int = 0
    spread: bool = False
    exhausted: Literal["turn-back", "park"] = "turn-back"
    input: Json = None
    undo_input: Json = None
    claimed: bool = False

    @property
    def there(self) -> bool:
        """Whether the step is an instance of its own, in another partition or app."""
        return self.spread or "/" in self.operation


@dataclass(frozen=True, slots=True)
class Definition:
    """A graph of steps in declared order; an operation alone is a graph of one step.

    Raises ValueError where two steps have one name, or one waits for itself or for none
    that there is: the fold must not meet such a graph.
    """

    kind: Kind
    name: str
    steps: tuple[StepSpec, ...]

    def __post_init__(self) -> None:
        """Check the graph, since definitions come from the wire too."""
        waits = {spec.name: set(spec.after) for spec in self.steps}
        if len(waits) < len(self.steps):
            raise ValueError("two steps have the same name")
        while waits:
            free = {name for name, after in waits.items() if not after & waits.keys()}
            if not free:
                raise ValueError(f"the steps {', '.join(sorted(waits))} wait for each other")
            waits = {name: after for name, after in waits.items() if name not in free}
        known = {spec.name for spec in self.steps}
        for spec in self.steps:
            if not known.issuperset(spec.after):
                raise ValueError(f"{spec.name} is after a step that is not there")


_ADAPTER = TypeAdapter(Definition)
_HELD = 1024


class Derived(NamedTuple):
    """What follows from a definition.

    Its row; each step's operation by the step's name; each step's place by its name; for
    each step the places of those that it waits for, and of those that wait for it.
    """

    definition: Definition
    row: bytes
    operations: dict[str, str]
    places: dict[str, int]
    after: tuple[tuple[int, ...], ...]
    before: tuple[tuple[int, ...], ...]


_DERIVED: dict[int, Derived] = {}


def derived(definition: Definition) -> Derived:
    """What follows from a definition, worked out once for each object."""
    known = _DERIVED.get(id(definition))
    if known is None:
        if len(_DERIVED) >= _HELD:  # those of sagas given as data come and go
            _DERIVED.clear()
        row = _ADAPTER.dump_json(definition, exclude_defaults=True)
        operations = {spec.name: spec.operation for spec in definition.steps}
        places = {spec.name: number for number, spec in enumerate(definition.steps)}
        after = tuple(tuple(places[name] for name in spec.after) for spec in definition.steps)
        before = tuple(
            tuple(n for n, waits in enumerate(after) if number in waits)
            for number in range(len(after))
        )
        known = Derived(definition, row, operations, places, after, before)
        _DERIVED[id(definition)] = known
    return known


def compact(definition: Definition) -> bytes:
    """A definition as JSON without what is as usual."""
    return derived(definition).row


def parse(row: bytes) -> Definition:
    """The definition that `compact` wrote. Raises pydantic's ValidationError."""
    return _ADAPTER.validate_json(row)


_KNOWN = tuple(
    frozenset(field.name for field in fields(part)) for part in (Definition, StepSpec, RetrySpec)
)


def strangers(said: Json) -> list[str]:
    """The keys of a valid definition that this code does not know.

    They are there only where they matter, since what is as usual is left out: a saga must
    not be run without them.
    """
    known, of_step, of_retry = _KNOWN
    found = said.keys() - known
    for step in said["steps"]:
        found |= step.keys() - of_step
        for retry in ("retry", "undo_retry"):
            found |= step.get(retry, {}).keys() - of_retry
    return sorted(found)
