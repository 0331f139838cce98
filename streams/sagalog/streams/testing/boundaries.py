"""Where a crash can strike: what the pods write, before it lands, unacknowledged, and after."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from sagalog.schemas.codec import decode
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.record import Entry
from sagalog.streams.testing.calls import Call

if TYPE_CHECKING:
    from sagalog.streams.audit import Violation
    from sagalog.streams.testing.ends import Ends
    from sagalog.streams.testing.world import World

Moment = Literal["before", "unheard", "after"]
"""before: a write never lands. unheard: it lands, and its acknowledgement is lost. after: the
pod has heard that it landed."""

MOMENTS: tuple[Moment, ...] = ("before", "unheard", "after")

LONGEST = 3600.0
"""Seconds of made-up time that a test's unfinished instances get behind its end."""

_WORDS: dict[str, str] = {
    "before": "before {} landed",
    "unheard": "after {} landed, unheard",
    "after": "after {} landed and was acknowledged",
    "during": "while {} waited for something",
}


class Write(NamedTuple):
    """One append, or one checkpoint, of a pod."""

    topic: str
    partition: int
    entries: tuple[Entry, ...]

    def __str__(self) -> str:
        """What is written, in words."""
        if self.topic.endswith(".tables"):
            return f"a checkpoint of {self.topic}/{self.partition}"
        said = ", ".join(_said(entry) for entry in self.entries)
        return f"{said} on {self.topic}/{self.partition}"


def _said(entry: Entry) -> str:
    message = decode(entry.value)
    if not isinstance(message, Envelope):
        return "a record"
    step = getattr(message.data, "step", "")
    return f"{type(message.data).__name__} {step}" if step else type(message.data).__name__


@dataclass(frozen=True, slots=True)
class Boundary:
    """A pod dies here: of what it writes, or during a call. `number` names it, from 1."""

    number: int
    what: Write | Call
    moment: Moment | Literal["during"]

    def __str__(self) -> str:
        """The boundary for people."""
        return _WORDS[self.moment].format(self.what)


class Plan:
    """One run of a test: `strike` is the boundary at which a pod dies, None where none does.

    `salt` changes what is random in the pods, and nothing else.
    """

    def __init__(self, strike: int | None = None, *, salt: str = "") -> None:
        self.strike, self.salt = strike, salt
        self.boundaries: list[Boundary] = []
        self.worlds: list[World] = []
        self.ends: list[Ends] = []
        self.violations: list[Violation] = []

    @property
    def struck(self) -> Boundary | None:
        """Where the pod has died, once it has."""
        reached = self.strike is not None and self.strike <= len(self.boundaries)
        return self.boundaries[self.strike - 1] if self.strike and reached else None

    def write(self, topic: str, partition: int, entries: Sequence[Entry]) -> Moment | None:
        """A pod writes; when it is to die of it, if it is."""
        write = Write(topic, partition, tuple(entries))
        struck: Moment | None = None
        for moment in MOMENTS:
            struck = moment if self._reach(write, moment) else struck
        return struck

    def wait(self, call: Call) -> bool:
        """A handler waits for something; whether its pod is to die of it."""
        return self._reach(call, "during")

    def _reach(self, what: Write | Call, moment: Moment | Literal["during"]) -> bool:
        self.boundaries.append(Boundary(len(self.boundaries) + 1, what, moment))
        return len(self.boundaries) == self.strike

    def played(self, world: "World") -> None:
        """A stage has come to its end in order; what is left to happen happens."""
        world.loop.rest()
        ends = world.ends()
        if not all(end.settled for end in ends.values()):
            world.wait(LONGEST)
            ends = world.ends()
        self.worlds.append(world)
        self.ends.append(ends)
        self.violations += world.audit(at_rest=all(end.settled for end in ends.values()))

    @contextmanager
    def in_force(self) -> Generator[None]:
        """For the stages that are made meanwhile."""
        token = _PLAN.set(self)
        try:
            yield
        finally:
            _PLAN.reset(token)


_PLAN: ContextVar[Plan | None] = ContextVar("sagalog-crash-plan", default=None)


def plan_in_force() -> Plan | None:
    """The plan of the run that this is, if it is one."""
    return _PLAN.get()
