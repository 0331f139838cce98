"""The request that appends batches (Produce, version 7), and its answer."""

import struct
from collections.abc import Mapping
from io import BytesIO
from typing import ClassVar, NamedTuple

from sagalog.streams.kafka.wire import INT, INTS, Encoded, by_topic, read_text, text
from sagalog.streams.log import Place

_ALL_IN_SYNC = -1
_HEAD = struct.Struct(">hii")
_PART = struct.Struct(">ihqqq")


class Ack(NamedTuple):
    """What a broker says about one batch: its first offset, or why it is not there."""

    place: Place
    code: int
    offset: int


class Acks:
    """The answer to a Produce request."""

    @classmethod
    def decode(cls, data: BytesIO) -> list[Ack]:
        """One Ack for each batch."""
        body, at = data.getvalue(), 8
        acks: list[Ack] = []
        for _ in range(INT.unpack_from(body, 4)[0]):
            topic, at = read_text(body, at)
            (count,) = INT.unpack_from(body, at)
            at += INT.size
            for _ in range(count):
                partition, code, offset, _, _ = _PART.unpack_from(body, at)
                at += _PART.size
                acks.append(Ack((topic, partition), code, offset))
        return acks


class Produce(Encoded):
    """Append one batch to each of some places, and answer when all in-sync replicas have it."""

    __slots__ = ()

    API_KEY: ClassVar[int] = 0
    API_VERSION: ClassVar[int] = 7
    RESPONSE_TYPE: ClassVar = Acks


def produce(
    batches: Mapping[Place, bytes], timeout: float, transactional_id: str | None = None
) -> Produce:
    """Encode the request; the broker gives up on slow replicas after `timeout` seconds."""
    topics = by_topic(batches)
    parts = [text(transactional_id), _HEAD.pack(_ALL_IN_SYNC, int(timeout * 1000), len(topics))]
    for topic, partitions in topics.items():
        parts += (text(topic), INT.pack(len(partitions)))
        for partition in partitions:
            batch = batches[topic, partition]
            parts += (INTS.pack(partition, len(batch)), batch)
    return Produce(b"".join(parts))
