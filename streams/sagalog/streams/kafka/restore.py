"""Reading a table to its end, without what was never committed."""

import asyncio
import time
from functools import partial

from sagalog.streams.errors import LogUnavailable
from sagalog.streams.kafka.batches import Batch, committed, end_of, split
from sagalog.streams.kafka.cluster import Cluster
from sagalog.streams.kafka.codes import PASSING, check
from sagalog.streams.kafka.fetch import (
    READ_COMMITTED,
    Fetched,
    FetchLimits,
    FetchSession,
    Part,
)
from sagalog.streams.kafka.offsets import EARLIEST, LATEST, Offsets
from sagalog.streams.kafka.retry import persist
from sagalog.streams.log import Place

_LANE = "restores"
_MARKED = 1.0  # seconds in which brokers mark what they have committed
_PAUSE = 0.005
_LIMITS = FetchLimits(wait=0.1, isolation=READ_COMMITTED)


async def written(cluster: Cluster, place: Place) -> int:
    """Where a table ends for its owner.

    His fence has ended every older transaction, so that all which stands in the log is
    decided, or will be as soon as the brokers have marked it so.
    """
    return (await Offsets(cluster).find([place], LATEST))[place]


async def decided(cluster: Cluster, place: Place) -> int:
    """Where a table ends for all others.

    Brokers answer a commit before they have marked it in the log, so what stands there
    undecided is waited for a little: the rest is of an owner that writes now, or has died.
    """
    offsets, end = Offsets(cluster), await written(cluster, place)
    until = time.monotonic() + _MARKED
    while True:
        reached = (await offsets.find([place], LATEST, READ_COMMITTED))[place]
        if reached >= end or time.monotonic() > until:
            return reached
        await asyncio.sleep(_PAUSE)


async def newest(cluster: Cluster, place: Place, end: int) -> dict[bytes, bytes]:
    """The newest committed value of every key below `end`; deleted keys are absent."""
    at = (await Offsets(cluster).find([place], EARLIEST))[place]
    session = FetchSession(_LIMITS)
    rows: dict[bytes, bytes] = {}
    while at < end:
        part = await persist(
            partial(_fetch, cluster, session, place, at),
            timeout=cluster.settings.open_timeout,
            doing=f"restoring {place[0]}/{place[1]}",
        )
        batches = split(part, at)
        for batch in committed(batches, part.aborted):
            _apply(rows, batch)
        at = end_of(batches)
    return rows


async def _fetch(cluster: Cluster, session: FetchSession, place: Place, at: int) -> Part:
    leader = await cluster.locate(place)
    try:
        fetched: Fetched = await cluster.send(leader, session.request({place: at}), _LANE)
        check(fetched.code, "fetching")
    except LogUnavailable:
        session.lost()
        raise
    session.answered(fetched)
    for part in fetched.parts:
        if part.code in PASSING:
            cluster.forget(place)
        check(part.code, f"fetching {place[0]}/{place[1]}")
        if part.data:
            return part
    raise LogUnavailable(f"{place[0]}/{place[1]} is undecided at {at}")


def _apply(rows: dict[bytes, bytes], batch: Batch) -> None:
    for record in batch.records():
        if record.key is None:
            continue
        if record.value is None:
            rows.pop(record.key, None)
        else:
            rows[record.key] = record.value
