"""How large a record may be."""

from collections.abc import Sequence
from typing import Final

from sagalog.schemas.record import Entry
from sagalog.schemas.topics import TopicSpec
from sagalog.streams.errors import RecordTooLarge
from sagalog.streams.log import Place

MAX_RECORD_BYTES: Final = 1 << 20
"""Kafka's default for a request, so that an app moves over unchanged."""


def limit_of(spec: TopicSpec, usual: int) -> int:
    """The bytes that a record of the topic may have: its own setting, or as usual."""
    return int(spec.settings.get("max.message.bytes", usual))


def measure(place: Place, entries: Sequence[Entry], limit: int) -> int:
    """The bytes of all entries together. Raises RecordTooLarge."""
    total = 0
    for key, value, headers in entries:
        size = (len(key) if key else 0) + (len(value) if value else 0)
        if headers:
            size += sum(len(name) + len(content) for name, content in headers)
        if size > limit:
            message = f"A record of {size} bytes for {place[0]} is over the limit of {limit}"
            raise RecordTooLarge(f"{message}. Store it elsewhere and send a reference to it")
        total += size
    return total
