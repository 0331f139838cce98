"""Pauses, by whoever asks: written straight to every partition's events, and read back from there.

A pause is wanted when things are bad, so it needs no slot, no intake and no owner.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, NamedTuple

from sagalog.engine import App, Operation
from sagalog.engine.calls import operation_of
from sagalog.engine.errors import DeclarationError
from sagalog.engine.instance import Instance
from sagalog.engine.pauses import PAUSES_KEY, Held, Pauses, folded
from sagalog.engine.pending import Run, Undo, pending
from sagalog.engine.position import Position
from sagalog.schemas.codec import decode, encode_fact
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.pauses import PAUSES, Paused, PauseFact, Resumed
from sagalog.schemas.record import Entry
from sagalog.schemas.topics import LANES, Topics
from sagalog.streams.history import bounds, scan
from sagalog.streams.log import Log
from sagalog.streams.surroundings import Clock, Token


@dataclass(frozen=True, slots=True)
class Hold:
    """An operation or a lane that is held now, and in which partitions. Times in ms.

    `until` is when a breaker lets its next probe through; 0 where a person paused it.
    """

    operation: str
    lane: str
    since: int
    until: int
    reason: str
    by: str
    partitions: tuple[int, ...]

    @property
    def what(self) -> str:
        """Its name, for people."""
        return f"operation {self.operation}" if self.operation else f"lane {self.lane}"


class Pauser:
    """Writes the facts of one client."""

    def __init__(self, log: Log, app: App | str, clock: Clock, token: Token) -> None:
        self._app = app if isinstance(app, App) else None
        self._topics = Topics(app.name if isinstance(app, App) else app)
        self._log, self._clock, self._token = log, clock, token

    async def pause(
        self, operation: Operation[..., Any] | str, lane: str, reason: str, by: str, source: str
    ) -> None:
        """Hold one of them in every partition. Raises DeclarationError or LogError."""
        name = self._checked(operation, lane)
        await self._tell(Paused(self._token(8), name, lane, reason, by or source), source)

    async def resume(
        self, operation: Operation[..., Any] | str, lane: str, reason: str, by: str, source: str
    ) -> None:
        """Let one of them go on in every partition. Raises DeclarationError or LogError."""
        name = self._checked(operation, lane)
        await self._tell(Resumed(self._token(8), name, lane, reason, by or source), source)

    async def _tell(self, fact: PauseFact, source: str) -> None:
        _, value = encode_fact(fact, source=source, subject=PAUSES, now=self._clock())
        topic, entry = self._topics.events, Entry(PAUSES_KEY, value)
        count = await self._log.partitions(topic)
        await asyncio.gather(*(self._log.append(topic, n, [entry]) for n in range(count)))

    def _checked(self, operation: Operation[..., Any] | str, lane: str) -> str:
        name = operation if isinstance(operation, str) else operation.name
        if bool(name) == bool(lane):
            raise DeclarationError("pause", "names not exactly one", "Give operation= or lane=.")
        if lane and lane not in LANES:
            raise DeclarationError("lane", f"{lane!r} is none", f"Use one of {', '.join(LANES)}.")
        if "/" in name:
            app = name.partition("/")[0]
            raise DeclarationError("operation", f"{name} is another app's", f"Pause it in {app}.")
        if name and self._app is not None and name not in self._app.operations:
            raise _unknown(self._app, name)
        return name


def _unknown(app: App, name: str) -> DeclarationError:
    if name in app.sagas:
        return DeclarationError(
            "operation", f"{name} is a saga", "Pause one of its operations, or its lane."
        )
    near = get_close_matches(name, app.operations, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(app.operations)}."
    return DeclarationError("operation", f"{app.name} has no operation {name!r}", hint)


# -- reading


async def read_pauses(log: Log, app: str) -> dict[int, Pauses]:
    """What is held in each partition now. Raises TopicMissing where the log has no such app."""
    return await PausesRead(log, app).read()


class PausesRead:
    """What is held in each partition, kept up to date: each `read` reads only what is new."""

    def __init__(self, log: Log, app: str) -> None:
        self._log, self._topics = log, Topics(app)
        self._held: dict[int, Pauses] = {}
        self._known: dict[int, int] = {}

    async def read(self) -> dict[int, Pauses]:
        """How it is now. Raises TopicMissing where the log has no such app."""
        if not self._held:
            await self._restore()
        ends = await bounds(self._log, [(self._topics.events, number) for number in self._held])
        ranges = {p: (max(start, self._known[p[1]]), end) for p, (start, end) in ends.items()}
        async for record in scan(self._log, ranges):
            message = decode(record.value) if record.key == PAUSES_KEY else None
            if isinstance(message, Envelope) and isinstance(message.data, PauseFact):
                was = self._held[record.partition]
                self._held[record.partition] = folded(was, message.data, record.timestamp)
        self._known = {number: end for (_, number), (_, end) in ends.items()}
        return dict(self._held)

    async def _restore(self) -> None:
        numbers = range(await self._log.partitions(self._topics.events))
        tables = await asyncio.gather(*(self._log.table(self._topics.tables, n) for n in numbers))
        self._held = {number: Pauses.read(rows) for number, rows in enumerate(tables)}
        self._known = {n: Position.of(rows).mark.offset for n, rows in enumerate(tables)}


def holds(held: Mapping[int, Pauses]) -> list[Hold]:
    """All that is held, each once for all the partitions that hold it alike."""
    found: dict[tuple[str, str, str, str, bool], Hold] = {}
    for number, pauses in held.items():
        for hold in _holds(number, pauses):
            key = hold.operation, hold.lane, hold.reason, hold.by, hold.until > 0
            one = found.get(key)
            found[key] = hold if one is None else _joined(one, hold)
    return sorted(found.values(), key=lambda hold: (hold.since, hold.what))


def _holds(number: int, pauses: Pauses) -> Iterator[Hold]:
    here = (number,)
    for lane, pause in pauses.lanes.items():
        yield Hold("", lane, pause.since, 0, pause.reason, pause.by, here)
    for name, held in pauses.operations.items():
        if held.paused is not None:
            pause = held.paused
            yield Hold(name, "", pause.since, 0, pause.reason, pause.by, here)
        if held.until:
            yield Hold(name, "", held.since, held.until, held.reason, "breaker", here)


def _joined(one: Hold, other: Hold) -> Hold:
    return replace(
        one,
        since=min(one.since, other.since),
        until=max(one.until, other.until),
        partitions=(*one.partitions, *other.partitions),
    )


class Waits(NamedTuple):
    """The operation that an instance waits for, and how it is held."""

    operation: str
    held: Held

    @property
    def why(self) -> str:
        """In words."""
        pause = self.held.paused
        if pause is None:
            return f"the breaker of {self.operation} is open: {self.held.reason}"
        reason = f": {pause.reason}" if pause.reason else ""
        return f"{self.operation} is paused by {pause.by or 'somebody'}{reason}"


def waits(state: Instance, pauses: Pauses) -> Waits | None:
    """What of the instance waits for a held operation, if anything does."""
    for action in pending(state):
        if isinstance(action, Run | Undo):
            name = operation_of(state, action)
            if pauses.of(name).holds:
                return Waits(name, pauses.of(name))
    return None
