"""One record of a log, as every reader sees it, and one entry that is to be appended."""

from typing import NamedTuple


class Record(NamedTuple):
    """A record read from a log.

    `offset` counts from 0 in its topic and partition; `timestamp` is the broker's
    clock at the append (LogAppendTime), in milliseconds since the epoch.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Entry(NamedTuple):
    """A record before its append: the log gives it an offset and a timestamp."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
