"""The limits of an app in its log: set by clients, read back by anybody, without a pod."""

from dataclasses import dataclass
from typing import Any

from sagalog.engine import App, DeclarationError, Limit, Operation
from sagalog.engine.limiter import Limiter, evolve
from sagalog.schemas.codec import decode, encode_fact
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.ids import board_id, limiter_id
from sagalog.schemas.limits import LimiterFact, LimitSet, LimitSpec
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Entry
from sagalog.schemas.topics import Topics
from sagalog.streams.history import Progress, bounds, scan
from sagalog.streams.log import Log
from sagalog.streams.surroundings import Clock, Token

_FACTS = LimiterFact.__args__
_SIGNS = b"sagalog.permits.", b"sagalog.limit.set."


class Limiting:
    """Writes the limits that one client sets: facts that need nobody's consent."""

    def __init__(self, log: Log, app: App | str, clock: Clock, token: Token) -> None:
        self._app = app if isinstance(app, App) else None
        self._name = app.name if isinstance(app, App) else app
        self._log, self._clock, self._token = log, clock, token

    async def set(
        self,
        operation: Operation[..., Any] | str,
        limit: Limit | None,
        key: str | None,
        by: str,
        source: str,
    ) -> None:
        """Set one, for a key or (None) for all. Raises DeclarationError or LogError."""
        name = operation if isinstance(operation, str) else operation.name
        self._check(name, limit)
        topic = Topics(self._name).events
        count = await self._log.partitions(topic)
        spec = limit.spec() if limit else None
        fact = LimitSet(self._token(16), name, key, spec, by or source)
        names = [limiter_id(self._name, name, key or "")]
        if key is None:
            names = [board_id(self._name, name, number, count) for number in range(count)]
        for limiter in names:
            _, value = encode_fact(fact, source=source, subject=limiter, now=self._clock())
            entry = Entry(limiter.encode(), value)
            await self._log.append(topic, partition_of(limiter.encode(), count), [entry])

    def _check(self, name: str, limit: Limit | None) -> None:
        if limit is not None and limit.by:
            problem = "is settled where the operation is declared"
            raise DeclarationError("Limit.by", problem, "Leave it out; name one key with key=...")
        known = self._app.operations.get(name) if self._app else None
        if self._app is not None and (known is None or known.limit is None):
            problem = "declares no limit" if known else f"is no operation of {self._app.name}"
            hint = "Declare it with limit=Limit(), which limits nothing."
            raise DeclarationError(name, problem, hint)


@dataclass(frozen=True, slots=True)
class StandingLimit:
    """A limit that somebody uses now, or has set. `key` None: the one for all keys.

    `lent` permits are out, and the borrowers have use for `wanted`. `set` tells a limit that
    was set at run time from one that is declared.
    """

    operation: str
    key: str | None
    limit: LimitSpec
    set: bool
    lent: int = 0
    wanted: int = 0


async def read_limits(log: Log, app: str, progress: Progress | None = None) -> list[StandingLimit]:
    """All limits of an app that somebody uses or has set, by operation and key.

    What is declared and not in use is not in the log. Raises TopicMissing.
    """
    topic = Topics(app).events
    places = [(topic, number) for number in range(await log.partitions(topic))]
    limiters: dict[tuple[int, str], Limiter] = {}
    async for record in scan(log, await bounds(log, places), progress):
        if not any(sign in (record.value or b"") for sign in _SIGNS):
            continue
        message = decode(record.value)
        if isinstance(message, Envelope) and isinstance(message.data, _FACTS):
            where = record.partition, message.subject
            after = evolve(limiters.get(where), message.data, record.offset, record.timestamp)
            limiters.pop(where, None)
            if after is not None:
                limiters[where] = after
    found = {(state.operation, state.key): _standing(state) for state in limiters.values()}
    return [found[key] for key in sorted(found, key=lambda key: (key[0], key[1] or ""))]


def _standing(state: Limiter) -> StandingLimit:
    return StandingLimit(
        state.operation,
        state.key,
        state.limit,
        state.override is not None,
        state.lent,
        sum(lease.wanted for lease in state.leases),
    )
