"""What an audit of a log has come to."""

from dataclasses import dataclass, field

from sagalog.streams.audit.tally import Tally
from sagalog.streams.audit.violation import Violation

MOST = 1000
"""Violations that are kept whole; all are counted."""


@dataclass(slots=True)
class Report:
    """The audit of `app`, and of the other `apps` in which its children live.

    `at_rest` says whether it was judged as a log on which nothing is under way.
    """

    app: str
    apps: list[str]
    at_rest: bool
    tally: Tally
    violations: list[Violation] = field(default_factory=list[Violation])

    @property
    def clean(self) -> bool:
        """Whether every promise was kept, as far as could be judged."""
        return not self.tally.violations

    def add(self, found: list[Violation]) -> None:
        """Keep what was found, as long as there is room."""
        self.violations += found[: MOST - len(self.violations)]
