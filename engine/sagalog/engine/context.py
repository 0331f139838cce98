"""What a handler is told about the call that it is in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from sagalog.engine.errors import DeclarationError
from sagalog.engine.payload import copied
from sagalog.schemas.definition import Json, Priority

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from sagalog.engine.operation import Operation

T = TypeVar("T")

LONGEST_MESSAGE = 500
"""Characters of what a handler says of its progress."""


@dataclass(slots=True)
class Context:
    """One call of one handler.

    `idempotency_key` is the same for every call of the same step, or of the same undo, in
    one life of the instance: hand it to whatever the handler touches. A handler that is
    called with a key whose effect exists returns success (DESIGN section 6, rule 15); an
    undo must bear a step that never happened.
    `attempt` counts the calls from 1. `deadline` is in milliseconds since the epoch.
    """

    instance: str
    name: str
    step: str
    attempt: int
    idempotency_key: str
    phase: Literal["forward", "undo"] = "forward"
    key: str | None = None
    priority: Priority = "normal"
    tenant: str = ""
    traceparent: str | None = None
    deadline: int | None = None
    results: Mapping[str, Json] = field(default_factory=dict[str, Json])
    operations: Mapping[str, str] = field(default_factory=dict[str, str])
    reporter: Callable[[float, str], None] | None = field(default=None, repr=False, compare=False)

    def progress(self, fraction: float, message: str = "") -> None:
        """Say how far this call is, from 0 to 1, to whoever follows the instance.

        Call it as often as you like, from any thread: the first is told at once, and then at
        most one a second, the newest. Of an undo, and of a call in a process, nothing is told.
        """
        if self.reporter is not None:
            told = 0.0 if isnan(fraction) else min(max(float(fraction), 0.0), 1.0)
            self.reporter(told, str(message)[:LONGEST_MESSAGE])

    @overload
    def result(self, step: "Operation[..., Awaitable[T]]") -> T | None: ...
    @overload
    def result(self, step: "Operation[..., T]") -> T | None: ...
    @overload
    def result(self, step: str) -> Json: ...
    def result(self, step: "Operation[..., Any] | str") -> Any:
        """The result of another step, typed; None while it is unknown whether it happened.

        Takes the operation, or the step's name (then the result is plain JSON). Raises
        DeclarationError where the saga has no such step.
        """
        if isinstance(step, str):
            self._known(step)
            return copied(self.results.get(step))
        name = next((s for s, o in self.operations.items() if o == step.name), step.name)
        self._known(name)
        stored = self.results.get(name, self)
        return None if stored is self else step.load(stored)

    def _known(self, step: str) -> None:
        if step not in self.operations:
            raise DeclarationError(
                f"ctx.result({step!r})",
                f"{self.name} has no such step",
                f"Its steps are {', '.join(self.operations)}.",
            )
