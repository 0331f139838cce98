"""The limits of an app as they stand in its log: read back by anybody, without a pod."""

from dataclasses import dataclass

from sagalog.engine.limiter import Limiter, evolve
from sagalog.schemas.codec import decode
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.limits import LimiterFact, LimitSpec
from sagalog.schemas.topics import Topics
from sagalog.streams.history import Progress, bounds, scan
from sagalog.streams.log import Log

_FACTS = LimiterFact.__args__
_SIGNS = b"sagalog.permits.", b"sagalog.limit.set."


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
