"""What the stage remembers of each call of a handler."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sagalog.engine import Operation

Ended = Literal["", "returned", "raised", "killed"]


@dataclass(slots=True)
class Call:
    """One call of a handler. `name` is its saga's, or its operation's where it runs alone.

    `key` is the instance's, `input` what the handler got, `time` when it began in made-up
    time, `ended` how it ended: "" while it runs.
    """

    app: str
    name: str
    operation: str
    step: str
    phase: Literal["forward", "undo"]
    attempt: int
    instance: str
    key: str | None
    idempotency_key: str
    input: Any
    time: datetime
    ended: Ended = ""

    def __str__(self) -> str:
        """The call for people."""
        where = self.name if self.key is None else f"{self.name} {self.key}"
        step = "" if self.step == self.operation else f", step {self.step}"
        undo = " as an undo" if self.phase == "undo" else ""
        return f"{self.operation}{undo} ({where}{step}, attempt {self.attempt})"


class Calls(list[Call]):
    """Calls in the order in which they began."""

    @property
    def names(self) -> list[str]:
        """Their operations. What a crash made to be called again is named once."""
        first = {(call.idempotency_key, call.attempt): call for call in reversed(self)}
        return [call.operation for call in self if first[_which(call)] is call]

    def of(self, operation: Operation[..., Any] | str) -> "Calls":
        """Those of one operation, or of a step, by its name."""
        name = operation if isinstance(operation, str) else operation.name
        return Calls(call for call in self if name in (call.operation, call.step))

    def running(self) -> "Calls":
        """Those that have not ended."""
        return Calls(call for call in self if not call.ended)


def _which(call: Call) -> tuple[str, int]:
    return call.idempotency_key, call.attempt
