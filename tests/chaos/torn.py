"""The transactions of a table as they stand in the log: each is a whole checkpoint, or aborted."""

import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sagalog.engine.position import POSITION_KEY
from sagalog.streams.kafka import KafkaLog
from sagalog.streams.kafka.batches import Batch, end_of, split
from sagalog.streams.kafka.fetch import Fetched, FetchLimits, FetchSession
from sagalog.streams.log import Log, Place

_CONTROL = struct.Struct(">hh")
_COMMIT = 1


class Transaction(NamedTuple):
    """What one producer wrote between two of its marks; `end` is where its mark stands.

    `positions` counts the rows that say how far the checkpoint goes, `last` whether one of
    them is the last row.
    """

    producer: int
    epoch: int
    committed: bool
    rows: int
    positions: int
    last: bool
    end: int


async def transactions(log: Log, place: Place) -> list[Transaction]:
    """All decided transactions of a place, in the order of their marks."""
    assert isinstance(log, KafkaLog)
    open_: dict[int, list[bytes]] = {}
    found: list[Transaction] = []
    async for batch in _batches(log, place):
        content: Any = batch.content
        keys = open_.setdefault(content.producer_id, [])
        if not content.is_control_batch:
            keys += [record.key or b"" for record in content]
            continue
        _, kind = _CONTROL.unpack_from(next(iter(content)).key)
        found.append(
            Transaction(
                content.producer_id,
                content.producer_epoch,
                kind == _COMMIT,
                len(keys),
                keys.count(POSITION_KEY),
                keys[-1:] == [POSITION_KEY],
                content.base_offset,
            )
        )
        keys.clear()
    return found


async def _batches(log: KafkaLog, place: Place) -> Any:
    """Every batch of a place, those of aborted transactions and the marks included."""
    cluster, session = log._cluster, FetchSession(FetchLimits(wait=0.1))
    at, end = (await log.starts([place]))[place], (await log.ends([place]))[place]
    while at < end:
        leader = await cluster.locate(place)
        fetched: Fetched = await cluster.send(leader, session.request({place: at}), "torn")
        session.answered(fetched)
        for part in fetched.parts:
            batches: Sequence[Batch] = split(part, at)
            for batch in batches:
                yield batch
            at = end_of(batches) if batches else at


def torn(found: Sequence[Transaction]) -> Iterator[str]:
    """Those that were committed and are no whole checkpoint; one without rows changes nothing."""
    for one in found:
        if one.committed and one.rows and (one.positions != 1 or not one.last):
            yield (
                f"the transaction that ends at {one.end} has {one.positions} positions"
                f" in {one.rows} rows, the last of which is {'one' if one.last else 'none'}"
            )
