"""Requests that are read and not let in yet: too many wait already for the same permits."""

from collections import Counter, deque
from collections.abc import Iterable
from typing import NamedTuple

from sagalog.engine.app import App
from sagalog.engine.instance import Instance
from sagalog.engine.permits import Permits
from sagalog.schemas.definition import Json
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.record import Record
from sagalog.schemas.requests import RunOperation, Start, StartSaga

CROWD = 256
"""How many calls may wait for the permits of one limiter, in one lane, of one tenant."""

MOST = 10_000
"""How many requests of a lane a partition sets aside before it reads that lane no further."""

Held = tuple[str, Record, Envelope]


class Door(NamedTuple):
    """Where a request waits: for whose permits, in which lane, of which tenant."""

    limiter: str
    lane: str
    tenant: str


class Aside:
    """What is set aside in one partition. Nothing of it is in the log but the request itself.

    So a flood of one tenant costs little, and its lane goes on for the others. What is
    set aside is not done: whoever owns the partition next reads it again.
    `full` are the lanes that are not to be read on until half of it is let in.
    """

    __slots__ = (
        "_app",
        "_by_limiter",
        "_coming",
        "_permits",
        "_queues",
        "_sizes",
        "_under_way",
        "full",
    )

    def __init__(self, app: App, permits: Permits) -> None:
        self._app, self._permits = app, permits
        self._queues: dict[Door, deque[Held]] = {}
        self._by_limiter: dict[str, dict[Door, None]] = {}
        self._coming: Counter[Door] = Counter()
        self._under_way: dict[str, list[Door]] = {}
        self._sizes: Counter[str] = Counter()
        self.full: set[str] = set()

    def __len__(self) -> int:
        return self._sizes.total()

    def doors(self, request: Start) -> list[Door]:
        """Through which doors a request comes: one for each of its limited operations."""
        if not self._permits.limited:
            return []
        doors: dict[Door, None] = {}
        for operation, given in self._calls(request):
            payload = request.input if given is None else given
            name = self._permits.limiter(operation, request.tenant, payload)
            if name is not None:
                doors[Door(name, request.priority, request.tenant)] = None
        return list(doors)

    def _calls(self, request: Start) -> Iterable[tuple[str, Json]]:
        if isinstance(request, RunOperation):
            return [(request.name, None)]
        if isinstance(request, StartSaga) and request.steps is not None:
            return [(data.operation, data.parameters) for data in request.steps]
        saga = self._app.sagas.get(request.name)
        steps = saga.definition.steps if saga else ()
        return [(spec.operation, spec.input) for spec in steps if not spec.there]

    def crowded(self, doors: Iterable[Door]) -> Door | None:
        """The first door where too many wait already, or are set aside."""
        return next((door for door in doors if door in self._queues or self._full(door)), None)

    def _full(self, door: Door) -> bool:
        return self._permits.waiting(*door) + self._coming[door] >= CROWD

    def comes(self, instance: str, doors: list[Door]) -> None:
        """Somebody has been let in, and counts until it `came`."""
        if doors:
            self._under_way[instance] = doors
            self._coming.update(doors)

    def came(self, instance: str) -> None:
        """It waits for a permit from now on, or perhaps never will: so others may come."""
        for door in self._under_way.pop(instance, ()):
            self._coming[door] -= 1
            if not self._coming[door]:
                del self._coming[door]
            if door in self._queues:
                self._permits.moved.add(door.limiter)

    def seen(self, instance: str, state: Instance | None, now: int) -> None:
        """An instance has changed: on its way is one whose first step is under way here."""
        if instance in self._under_way and not (state and self._begins(state, now)):
            self.came(instance)

    def _begins(self, state: Instance, now: int) -> bool:
        return state.status == "running" and any(
            step.status == "ready"
            and step.offset == state.offset
            and step.retry_at <= now
            and not (spec.there or self._permits.limits(spec.operation))
            for spec, step in zip(state.definition.steps, state.steps, strict=True)
        )

    def put(self, door: Door, held: Held) -> None:
        """Set a request aside."""
        self._queues.setdefault(door, deque()).append(held)
        self._by_limiter.setdefault(door.limiter, {})[door] = None
        lane = held[0]  # where it was read: its priority may name another
        self._sizes[lane] += 1
        if self._sizes[lane] >= MOST:
            self.full.add(lane)

    def take(self) -> Held | None:
        """The next one that may be let in, now that permits have moved on."""
        while self._permits.moved:
            limiter = next(iter(self._permits.moved))
            for door in self._by_limiter.get(limiter, ()):
                if not self._full(door):
                    return self._pop(door)
            self._permits.moved.discard(limiter)
        return None

    def _pop(self, door: Door) -> Held:
        queue = self._queues[door]
        held = queue.popleft()
        self._sizes[held[0]] -= 1
        if self._sizes[held[0]] <= MOST // 2:
            self.full.discard(held[0])
        if not queue:
            del self._queues[door], self._by_limiter[door.limiter][door]
            if not self._by_limiter[door.limiter]:
                del self._by_limiter[door.limiter]
        return held
