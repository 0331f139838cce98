"""What the calls of handlers bring in a test, by the operation's name."""

from collections import defaultdict, deque

from sagalog.engine.effects import Invocation
from sagalog.engine.results import Result, Returned
from sagalog.schemas.facts import Failure, FailureKind


def failure(kind: FailureKind, message: str = "planted") -> Failure:
    """A failed call."""
    return Failure(kind, kind.capitalize(), message)


ERROR = failure("error")
TERMINAL = failure("terminal")
TIMEOUT = failure("timeout")
AWAY = failure("unavailable")


class Script:
    """Outcomes in the order of the calls; then every call returns the operation's name."""

    def __init__(self) -> None:
        self._outcomes: defaultdict[str, deque[Result]] = defaultdict(deque)
        self._held: set[str] = set()

    def on(self, operation: str, *outcomes: Result) -> None:
        """The next calls of this operation end so."""
        self._outcomes[operation].extend(outcomes)

    def hold(self, *operations: str) -> None:
        """Calls of these operations stay under way until they are let go."""
        self._held.update(operations)

    def let_go(self, *operations: str) -> None:
        """Held calls may end."""
        self._held.difference_update(operations)

    def holds(self, invocation: Invocation) -> bool:
        """Whether this call is still under way."""
        return invocation.operation in self._held

    def outcome(self, invocation: Invocation) -> Result:
        """How a call ends."""
        outcomes = self._outcomes[invocation.operation]
        return outcomes.popleft() if outcomes else Returned(invocation.operation)
