"""As much of Kafka's protocol as a proxy needs: where a frame ends, and what it asks."""

import asyncio
import struct
from enum import IntEnum
from typing import NamedTuple

_LENGTH = struct.Struct(">i")
_REQUEST = struct.Struct(">hhih")
_CORRELATION = struct.Struct(">i")


class Api(IntEnum):
    """The requests that sagalog sends."""

    Produce = 0
    Fetch = 1
    ListOffsets = 2
    Metadata = 3
    OffsetCommit = 8
    OffsetFetch = 9
    FindCoordinator = 10
    JoinGroup = 11
    Heartbeat = 12
    LeaveGroup = 13
    SyncGroup = 14
    ApiVersions = 18
    CreateTopics = 19
    DeleteRecords = 21
    InitProducerId = 22
    AddPartitionsToTxn = 24
    EndTxn = 26
    DescribeConfigs = 32


class Head(NamedTuple):
    """What stands before a request: its API, what ties its answer to it, and who asks."""

    api: str
    correlation: int
    client: str


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """The next frame with its length in front, or None where the connection has ended."""
    try:
        length = await reader.readexactly(_LENGTH.size)
        return length + await reader.readexactly(_LENGTH.unpack(length)[0])
    except (asyncio.IncompleteReadError, OSError):
        return None


def head(frame: bytes) -> Head:
    """The head of a request."""
    key, _, correlation, length = _REQUEST.unpack_from(frame, _LENGTH.size)
    api = Api(key).name if key in Api.__members__.values() else str(key)
    start = _LENGTH.size + _REQUEST.size
    return Head(api, correlation, frame[start : start + max(length, 0)].decode())


def answered(frame: bytes) -> int:
    """Which request an answer is for."""
    return int(_CORRELATION.unpack_from(frame, _LENGTH.size)[0])
