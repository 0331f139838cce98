"""Work that its caller runs itself: the request for it, and the backup that stands behind it."""

from dataclasses import dataclass, field

from sagalog.schemas.definition import Json
from sagalog.schemas.facts import Failure
from sagalog.schemas.requests import Start


@dataclass(frozen=True, slots=True)
class Claim(Start):
    """Run an operation, and `then` another, in the caller: ask for the work, or tell of it.

    `by` names one call of the caller, and no other ever. With a `lease` (ms) it asks for the
    steps, and runs them once that is granted. With lease 0 it tells: `done` are the results
    by step, `failed` is how the first step without a result failed. `unsure` says that nobody
    knows what became of the steps without a result.
    """

    by: str = ""
    lease: int = 0
    then: str | None = None
    done: dict[str, Json] = field(default_factory=dict[str, Json])
    failed: Failure | None = None
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Backup:
    """What one call on the critical path is about, and what is done of it so far.

    Its key is `instance:by`; a record without a value takes it away. `at` is when the caller
    was called (ms).
    """

    instance: str
    claim: Claim
    at: int
    tags: tuple[str, ...] = ()
    user: str = ""

    @property
    def id(self) -> str:
        """Its key in the topic: two callers with one key have a backup each."""
        return f"{self.instance}:{self.claim.by}"
