"""Entries to record batches, and record batches to records."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sagalog.schemas.record import Entry, Record
from sagalog.streams.errors import RecordTooLarge
from sagalog.streams.kafka.fetch import Aborted, Part
from sagalog.streams.kafka.library import BatchBuilder, MemoryRecords

BATCH_OVERHEAD = 61
_RECORD_OVERHEAD = 40  # lengths, offset, timestamp: an upper bound
_HEADER_OVERHEAD = 10
_FORMAT = 2
_UNCOMPRESSED = 0
_UNLIMITED = 2**31 - 1
_SEQUENCES = 2**31
_CONTROL = struct.Struct(">hh")
_ABORT = 0


class Identity(NamedTuple):
    """A producer, as brokers know it: they drop what one repeats, and refuse old epochs."""

    producer_id: int
    epoch: int


def size_of(entry: Entry) -> int:
    """How much an entry takes in a batch, at most."""
    key, value, headers = entry
    size = _RECORD_OVERHEAD
    if key is not None:
        size += len(key)
    if value is not None:
        size += len(value)
    for name, content in headers:
        size += len(name) * 4 + len(content) + _HEADER_OVERHEAD  # a character may take 4 bytes
    return size


def portions(entries: Iterable[Entry], limit: int, largest: int) -> list[list[Entry]]:
    """The entries in portions that fit a batch of `limit` bytes each.

    One that is larger by itself goes alone. Raises RecordTooLarge for one over `largest`.
    """
    found: list[list[Entry]] = []
    room = 0
    for entry in entries:
        size = size_of(entry)
        if size > largest - BATCH_OVERHEAD:
            raise too_large(size, f"the limit of {largest}")
        if size > room:
            found.append([])
            room = limit - BATCH_OVERHEAD
        found[-1].append(entry)
        room -= size
    return found


def too_large(size: int, limit: str) -> RecordTooLarge:
    """Say what to do about a record over the limit."""
    return RecordTooLarge(
        f"{size} bytes are over {limit}: keep large data elsewhere, and send where it is"
    )


def encode(
    entries: Iterable[Entry], identity: Identity, sequence: int, *, transactional: bool = False
) -> bytes:
    """One batch; `sequence` counts this producer's records in this place."""
    builder = BatchBuilder(_FORMAT, _UNCOMPRESSED, transactional, *identity, sequence, _UNLIMITED)
    for index, (key, value, headers) in enumerate(entries):
        builder.append(index, None, key, value, list(headers))
    return bytes(builder.build())


def next_sequence(sequence: int, count: int) -> int:
    """The sequence after `count` more records; brokers count round to 0."""
    return (sequence + count) % _SEQUENCES


class Batch(NamedTuple):
    """One batch as it was fetched, and the lowest offset that is wanted of it."""

    place: tuple[str, int]
    start: int
    content: Any

    def records(self) -> list[Record]:
        """Its records from `start` on."""
        (topic, partition), start, content = self
        if content.is_control_batch:
            return []
        return [
            Record(
                topic,
                partition,
                record.offset,
                record.timestamp or 0,
                record.key,
                record.value,
                _headers(record.headers),
            )
            for record in content
            if record.offset >= start
        ]


def _headers(headers: list[tuple[str, bytes | None]]) -> tuple[tuple[str, bytes], ...]:
    """Headers as we know them: other clients may write some without content."""
    return tuple((name, content or b"") for name, content in headers) if headers else ()


def split(part: Part, start: int) -> list[Batch]:
    """The whole batches of a fetched part. Cheap: their records are not looked at yet."""
    memory = MemoryRecords(part.data)
    batches: list[Batch] = []
    while memory.has_next():
        batches.append(Batch(part.place, start, memory.next_batch()))
    return batches


def end_of(batches: Sequence[Batch]) -> int:
    """The offset after the last batch, gaps left by compaction included."""
    end: int = batches[-1].content.next_offset
    return end


def committed(batches: Iterable[Batch], aborted: Iterable[Aborted]) -> Iterator[Batch]:
    """Leave out what belongs to transactions that were given up."""
    waiting = sorted(aborted, key=lambda transaction: transaction.first_offset, reverse=True)
    doomed: set[int] = set()
    for batch in batches:
        content = batch.content
        while waiting and waiting[-1].first_offset <= content.base_offset:
            doomed.add(waiting.pop().producer_id)
        if content.is_control_batch:
            if _is_abort(content):
                doomed.discard(content.producer_id)
        elif not (content.is_transactional and content.producer_id in doomed):
            yield batch


def _is_abort(content: Any) -> bool:
    _, kind = _CONTROL.unpack_from(next(iter(content)).key)
    return bool(kind == _ABORT)
