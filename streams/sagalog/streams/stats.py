"""A pod's gauges and counters, for whoever watches it: read from its memory, asking no log."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sagalog.engine.scheduler import Scheduler
from sagalog.schemas.topics import LANES
from sagalog.streams.owner import Owner


@dataclass(frozen=True, slots=True)
class PodStats:
    """One pod at one moment.

    `running` handlers of `slots`; `starting` are let in and their first fact is under way.
    By lane: `unread`, requests that were read and wait for a slot, and `oldest_wait` (ms), how
    long the oldest of them has been in the log, 0 where none waits. What a full pod has not read
    yet is younger than what it has, within each partition. `counters` only grow.
    """

    partitions: tuple[int, ...]
    slots: int
    running: int
    starting: int
    unread: Mapping[str, int]
    oldest_wait: Mapping[str, int]
    counters: Mapping[str, int]


def pod_stats(scheduler: Scheduler, owners: Collection[Owner], now: int) -> PodStats:
    """Read them."""
    since = {lane: scheduler.oldest(lane) for lane in LANES}
    return PodStats(
        partitions=tuple(sorted(owner.number for owner in owners)),
        slots=scheduler.slots,
        running=scheduler.running,
        starting=sum(owner.processor.starting for owner in owners),
        unread={lane: scheduler.backlog(lane) for lane in LANES},
        oldest_wait={
            lane: 0 if oldest is None else max(0, now - oldest) for lane, oldest in since.items()
        },
        counters=sum((owner.processor.counters for owner in owners), Counter[str]()),
    )
