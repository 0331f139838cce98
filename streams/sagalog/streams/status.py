"""How an app stands now: what waits in its lanes, what is under way, of whom, what has ended.

The one home of these figures, for the client, the command line, and whoever makes metrics of
them. Read from the log, so no pod needs to run and none is disturbed.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sagalog.engine.lifecycle import Phase, phase
from sagalog.engine.pauses import Pauses
from sagalog.schemas.codec import decode, rfc3339
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.requests import Start
from sagalog.schemas.topics import COMPENSATIONS, HOUR, LANES
from sagalog.streams.backlog import Backlog, oldest, peek, read_backlogs
from sagalog.streams.history import Progress, States
from sagalog.streams.log import Log
from sagalog.streams.pausing import PausesRead, waits
from sagalog.streams.surroundings import Clock, wall_clock

PEEK = 10_000
"""How many waiting requests are looked into, to know of which operation and tenant they are."""

State = Phase | Literal["queued", "paused"]

STATES: tuple[State, ...] = (
    "queued",
    "scheduled",
    "running",
    "paused",
    "retrying",
    "compensating",
    "stuck",
    "dead",
    "completed",
    "compensated",
    "cancelled",
    "refused",
)

Counts = Mapping[str, int]
"""How many there are of each state; a state of which there is none is absent."""


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """One lane. `oldest_wait` in ms, None where nothing waits; rates are per second.

    `depth` is what is not done: unread, or not yet known to be taken in. Rates are None until
    there is an earlier look to compare with; `rate_out` goes by commits, one a second.
    """

    lane: str
    depth: int
    oldest_wait: int | None
    rate_in: float | None
    rate_out: float | None
    in_flight: int


@dataclass(frozen=True, slots=True)
class Status:
    """An app at one moment. Times in ms; of what has ended only what did within `lately`.

    Of `queued` requests, `unknown` were not looked into, since there are too many.
    """

    app: str
    at: int
    lately: int
    interval: int | None
    lanes: tuple[LaneStatus, ...]
    operations: Mapping[str, Counts]
    tenants: Mapping[str, Counts]
    unknown: int

    @property
    def total(self) -> Counts:
        """How many of each state there are in all."""
        return sum((Counter(dict(counts)) for counts in self.operations.values()), Counter[str]())

    def document(self) -> dict[str, Any]:
        """As plain data, for scripts."""
        return asdict(self) | {"at": rfc3339(self.at), "total": dict(self.total)}


@dataclass(slots=True)
class _Sample:
    at: int
    backlogs: dict[str, Backlog]


@dataclass(slots=True)
class _Tally:
    operations: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    tenants: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    lanes: Counter[str] = field(default_factory=Counter[str])

    def add(self, name: str, tenant: str, state: str) -> None:
        self.operations.setdefault(name, Counter())[state] += 1
        self.tenants.setdefault(tenant, Counter())[state] += 1


class Observer:
    """Looks at one app again and again; each look reads only what is new since the last.

    It holds what the app holds: about 2 KB for each instance that is not forgotten.
    """

    def __init__(
        self, log: Log, app: str, *, clock: Clock = wall_clock, lately: int = HOUR, most: int = PEEK
    ) -> None:
        self.app = app
        self._log, self._clock, self._lately, self._most = log, clock, lately, most
        self._states, self._pauses = States(log, app), PausesRead(log, app)
        self._before: _Sample | None = None

    async def look(self, progress: Progress | None = None) -> Status:
        """How it stands now. Raises TopicMissing where the log has no such app."""
        backlogs = await read_backlogs(self._log, self.app, await self._states.partitions())
        sample = _Sample(self._clock(), backlogs)
        await self._states.read(progress)
        tally = self._tally(sample.at, await self._pauses.read())
        looked = await self._queued(backlogs, tally)
        since = await oldest(self._log, backlogs.values())
        before, self._before = self._before, sample
        depth = sum(backlog.depth for backlog in backlogs.values())
        return Status(
            app=self.app,
            at=sample.at,
            lately=self._lately,
            interval=None if before is None else sample.at - before.at,
            lanes=tuple(_lanes(sample, before, since, tally.lanes)),
            operations={name: _sorted(tally.operations[name]) for name in sorted(tally.operations)},
            tenants={name: _sorted(tally.tenants[name]) for name in sorted(tally.tenants)},
            unknown=max(0, depth - looked),
        )

    def _tally(self, now: int, held: Mapping[int, Pauses]) -> _Tally:
        tally = _Tally()
        for _, partition, state in self._states.all():
            if state.ended and state.ended_at < now - self._lately:
                continue
            pauses = held[partition]
            paused = bool(pauses.operations) and waits(state, pauses) is not None
            word = "paused" if paused else phase(state, now)
            tally.add(state.definition.name, state.tenant, word)
            if word in ("running", "compensating"):
                tally.lanes[COMPENSATIONS if word == "compensating" else state.priority] += 1
        return tally

    async def _queued(self, backlogs: Mapping[str, Backlog], tally: _Tally) -> int:
        """Count what waits, as far as it is looked into; how much that was."""
        looked = 0
        async for record in peek(self._log, backlogs.values(), self._most):
            looked += 1
            message = decode(record.value)
            if not isinstance(message, Envelope) or not isinstance(message.data, Start):
                continue
            if self._states.get(message.subject) is None:
                tally.add(message.data.name, message.data.tenant, "queued")
        return looked


def _lanes(
    sample: _Sample, before: _Sample | None, since: Mapping[str, int], in_flight: Counts
) -> Iterator[LaneStatus]:
    for lane in LANES:
        now, was = sample.backlogs[lane], before.backlogs[lane] if before else None
        seconds = (sample.at - before.at) / 1000 if before else 0
        known = was is not None and seconds > 0
        yield LaneStatus(
            lane=lane,
            depth=now.depth,
            oldest_wait=max(0, sample.at - since[lane]) if lane in since else None,
            rate_in=(now.written - was.written) / seconds if known and was else None,
            rate_out=(now.taken - was.taken) / seconds if known and was else None,
            in_flight=in_flight.get(lane, 0),
        )


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return {state: counts[state] for state in STATES if counts[state]}
