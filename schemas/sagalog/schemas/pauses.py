"""Facts about a whole partition: which operations and lanes are held in it, and by whom."""

from dataclasses import dataclass

PAUSES = "~pauses"
"""The subject and key of these facts, in every partition; no instance has such an id."""


@dataclass(frozen=True, slots=True)
class Paused:
    """A person holds an operation, or a lane, in this partition: exactly one of them is named.

    `name` is that of the pause, the same in every partition.
    """

    name: str
    operation: str = ""
    lane: str = ""
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Resumed:
    """A person lets an operation, or a lane, go on in this partition, whatever held it."""

    name: str
    operation: str = ""
    lane: str = ""
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class BreakerOpened:
    """The owner holds an operation in this partition until one probe is let through.

    `number` counts the openings, and the closings by hand, of this operation here: only the
    next one counts. `until` is the time of the probe (ms), `reason` the last failure.
    """

    operation: str
    number: int
    until: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BreakerClosed:
    """The probe behind opening `number` found that it works again."""

    operation: str
    number: int


PauseFact = Paused | Resumed | BreakerOpened | BreakerClosed
