"""What a run is to do."""

from dataclasses import dataclass
from pathlib import Path

PARTITIONS = 6
PODS = 3
FAR_PODS = 2
SESSION = 6.0
"""Seconds; the least that a broker takes by default."""

RETENTION = 60.0
"""Seconds; short, so that instances are forgotten during a run, and longer than most outages."""

REST = 60.0
"""Seconds within which all must have come to rest once the faults have stopped."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: all of it follows from `seed`, as far as machines allow.

    `pace` is how often faults strike, where 1 is as in RELIABILITY, section 6.1; `rate` is
    how many orders a second are started. A soak kills neither its client nor its first pod,
    and measures them from `warm` seconds on.
    """

    folder: Path
    seed: int
    seconds: float
    pace: float = 1.0
    rate: float = 14.0
    soak: bool = False
    warm: float = 0.0

    @property
    def app(self) -> str:
        """The name of the app; the other one has `-there` behind it."""
        return f"chaos{self.seed}"

    @property
    def pods(self) -> tuple[str, ...]:
        """How the pods are started."""
        return (
            *("--pace", "0.02", "--timeout", "1", "--attempts", "6"),
            *("--checkpoint", "0.5", "--forget", "2", "--retention", str(RETENTION)),
        )

    @property
    def deeds(self) -> Path:
        """The file of what was done and what happened."""
        return self.folder / "deeds.jsonl"

    @property
    def calls(self) -> Path:
        """The caller's file."""
        return self.folder / "calls.jsonl"

    @property
    def journal(self) -> Path:
        """What the handlers did."""
        return self.folder / "pods" / "journal"

    @property
    def poison(self) -> Path:
        """Which bad records were written where."""
        return self.folder / "poison.jsonl"
