"""A saga as it is declared: a graph of steps, each with what undoes it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sagalog.engine.errors import DeclarationError
from sagalog.engine.operation import Operation
from sagalog.engine.retry import Duration, Retry
from sagalog.schemas.definition import Definition, Json, StepSpec

Target = Operation[..., Any] | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a saga, as `step()` makes it."""

    operation: Target
    name: str
    undo: Operation[..., Any] | None
    after: tuple[str, ...] | None
    retry: Retry | None
    timeout: Duration | None
    spread: bool
    input: Json = None


@dataclass(frozen=True, slots=True)
class Saga:
    """A declared saga. `deadline` and `retention` in milliseconds; None for the app's."""

    name: str
    definition: Definition
    deadline: int | None
    retention: int | None


def step(
    operation: Target,
    *,
    undo: Operation[..., Any] | None = None,
    name: str | None = None,
    after: Target | Iterable[Target] | None = None,
    retry: Retry | None = None,
    timeout: Duration | None = None,
    spread: bool = False,
    input: Json = None,
) -> Step:
    """A step that calls `operation` and, when the saga turns back, `undo`.

    Without `after` it follows the step before it in the list; `after=()` starts it at
    once, `after=[reserve, "charge"]` when those are completed. "app/name" runs it in
    another app; `spread=True` in a partition of its own id, so on any pod. `undo`
    defaults to the operation's own. An undo must bear a step that never happened, and a
    handler that is called again with the same idempotency key returns success.
    """
    return Step(
        operation=operation,
        name=name or _name(operation),
        undo=undo,
        after=None if after is None else tuple(_name(target) for target in _listed(after)),
        retry=retry,
        timeout=timeout,
        spread=spread,
        input=input,
    )


def _listed(after: Target | Iterable[Target]) -> Iterable[Target]:
    return (after,) if isinstance(after, (str, Operation)) else after


def _name(target: Target) -> str:
    return target.rsplit("/", 1)[-1] if isinstance(target, str) else target.name


def chained(steps: Sequence[tuple[str, tuple[str, ...] | None]]) -> list[tuple[str, ...]]:
    """What each step waits for: its `after`, or else the one before it in the list."""
    before: list[tuple[str, ...]] = [(), *((name,) for name, _ in steps)]
    return [before[n] if after is None else after for n, (_, after) in enumerate(steps)]


def check_graph(saga: str, steps: Sequence[StepSpec]) -> None:
    """Refuse doubled and unknown names, and cycles. Raises DeclarationError."""
    if not steps:
        raise DeclarationError(saga, "has no steps", "Give it at least one step(...).")
    names = [spec.name for spec in steps]
    for spec in steps:
        if names.count(spec.name) > 1:
            raise DeclarationError(
                f"{saga}.{spec.name}", "two steps have this name", "Give one of them name=..."
            )
        for other in spec.after:
            if other not in names:
                raise DeclarationError(
                    f"{saga}.{spec.name}",
                    f"is after {other!r}, which is no step of the saga",
                    f"Its steps are {', '.join(names)}.",
                )
    _refuse_cycles(saga, {spec.name: set(spec.after) for spec in steps})


def _refuse_cycles(saga: str, waits: dict[str, set[str]]) -> None:
    while waits:
        free = {name for name, after in waits.items() if not after}
        if not free:
            raise DeclarationError(
                saga,
                f"the steps {', '.join(sorted(waits))} wait for each other",
                "Break the cycle.",
            )
        waits = {name: after - free for name, after in waits.items() if name not in free}
