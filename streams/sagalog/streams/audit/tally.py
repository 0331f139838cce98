"""What an audit has looked at, counted."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counts. `ended` by status, `ignored` by kind of fact, `violations` by letter.

    `unjudged` says what could not be judged, and of how many.
    """

    instances: int = 0
    facts: int = 0
    requests: int = 0
    letters: int = 0
    replies: int = 0
    rows: int = 0
    calls: int = 0
    blows: int = 0
    ended: Counter[str] = field(default_factory=Counter[str])
    ignored: Counter[str] = field(default_factory=Counter[str])
    unjudged: Counter[str] = field(default_factory=Counter[str])
    violations: Counter[str] = field(default_factory=Counter[str])
