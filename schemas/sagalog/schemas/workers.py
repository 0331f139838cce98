"""What pods say of themselves on `<app>.workers`, and what is said to them. No fold reads it."""

from dataclasses import dataclass
from typing import Literal

WorkerState = Literal["working", "draining", "drained"]


@dataclass(frozen=True, slots=True)
class Running:
    """A handler that was running. `since` in ms; `phase` says whether it does or undoes."""

    instance: str
    operation: str
    since: int
    phase: Literal["forward", "undo"] = "forward"


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A pod is there, and this is what it did at that moment. Times in ms.

    `life` tells two pods apart that had the same name. `interval` is when the next one comes.
    `busy` counts the handlers that ran; `running` are those that ran the longest.
    """

    life: str
    host: str
    pid: int
    started_at: int
    version: str
    interval: int
    state: WorkerState = "working"
    partitions: tuple[int, ...] = ()
    slots: int = 0
    busy: int = 0
    running: tuple[Running, ...] = ()


@dataclass(frozen=True, slots=True)
class DrainWorker:
    """Stop taking work, finish what runs, and leave the group; asked `by` whom."""

    by: str = ""
    reason: str = ""


WorkerRecord = WorkerSeen | DrainWorker
