"""What the processor wants done to the world: the driver does it, in this order."""

from dataclasses import dataclass, field
from typing import NamedTuple

from sagalog.engine.context import Context
from sagalog.engine.pending import Action, Run, Undo
from sagalog.schemas.definition import Json
from sagalog.schemas.facts import Fact
from sagalog.schemas.record import Entry


class LaneDone(NamedTuple):
    """Once the append is durable, this request of this lane needs no further reading."""

    lane: str
    offset: int


class Follow(NamedTuple):
    """Once the append is durable, this fact, which ends `action`, may follow in life `run`."""

    instance: str
    run: str
    fact: Fact
    action: Action


class Lettered(NamedTuple):
    """Once the append is durable, the record at `offset` of events has its dead letter."""

    offset: int


Then = LaneDone | Follow | Lettered
"""What is to follow when an append is durable."""


class Append(NamedTuple):
    """Append to a topic. `partition` None means the one of the key, in that topic."""

    topic: str
    partition: int | None
    entry: Entry
    then: Then | None = None


class Call(NamedTuple):
    """A handler that is ready to be called, in its lane, when there is a slot.

    `run` is the life that it belongs to; `request` is the lane's request that asked for
    it, where one did (an undo).
    """

    partition: int
    instance: str
    run: str
    lane: str
    action: Run | Undo
    request: LaneDone | None = None


class Invocation(NamedTuple):
    """What the executor needs for one call. `timeout` in ms, 0 for none."""

    call: Call
    operation: str
    input: Json
    context: Context
    timeout: int


@dataclass(slots=True)
class Effects:
    """Collected during a turn, taken by the driver at its end."""

    appends: list[Append] = field(default_factory=list[Append])
    calls: list[Call] = field(default_factory=list[Call])
