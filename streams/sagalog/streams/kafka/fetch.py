"""The request that reads batches (Fetch, version 11), and the session that keeps it small.

In a session the broker remembers what is wanted (KIP-227): a request names only the places
that changed, and an answer only those with news. So a quiet place costs nothing.
"""

import struct
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import ClassVar, NamedTuple

from sagalog.streams.kafka.wire import INT, INTS, Encoded, by_topic, read_text, text
from sagalog.streams.log import Place

READ_UNCOMMITTED = 0
READ_COMMITTED = 1

_CONSUMER = -1
_ANY = -1
_MAX_EPOCH = 2**31 - 1
_HEAD = struct.Struct(">iiiibiii")
_WANTED = struct.Struct(">iiqqi")
_ANSWER = struct.Struct(">ihii")
_PART = struct.Struct(">ihqqqi")
_ABORTED = struct.Struct(">qq")


class Aborted(NamedTuple):
    """A transaction that was given up, from this offset on."""

    producer_id: int
    first_offset: int


class Part(NamedTuple):
    """What a fetch found in one place."""

    place: Place
    code: int
    stable: int
    """The end of what is decided: no open transaction lies below."""
    aborted: list[Aborted]
    data: bytes


class Fetched(NamedTuple):
    """The answer to a Fetch request."""

    code: int
    session: int
    parts: list[Part]

    @classmethod
    def decode(cls, data: BytesIO) -> "Fetched":
        """Read the answer; the places that have no news are absent."""
        body = data.getvalue()
        _, code, session, topics = _ANSWER.unpack_from(body, 4)
        at = 4 + _ANSWER.size
        parts: list[Part] = []
        for _ in range(topics):
            topic, at = read_text(body, at)
            (count,) = INT.unpack_from(body, at)
            at += INT.size
            for _ in range(count):
                part, at = _read_part(topic, body, at)
                parts.append(part)
        return cls(code, session, parts)


def _read_part(topic: str, body: bytes, at: int) -> tuple[Part, int]:
    partition, code, _, stable, _, count = _PART.unpack_from(body, at)
    at += _PART.size
    aborted = [Aborted(*_ABORTED.unpack_from(body, at + n * _ABORTED.size)) for n in range(count)]
    at += max(count, 0) * _ABORTED.size
    _, size = INTS.unpack_from(body, at)
    start = at + INTS.size
    end = start + max(size, 0)
    return Part((topic, partition), code, stable, aborted, body[start:end]), end


class Fetch(Encoded):
    """Wait for records at some places."""

    __slots__ = ()

    API_KEY: ClassVar[int] = 1
    API_VERSION: ClassVar[int] = 11
    RESPONSE_TYPE: ClassVar = Fetched


class FetchLimits(NamedTuple):
    """How long a broker waits for news, and how much it answers at most."""

    wait: float
    total_bytes: int = 4 << 20
    place_bytes: int = 1 << 20
    isolation: int = READ_UNCOMMITTED


class FetchSession:
    """What one broker knows of what we want; requests are made, sent and answered in turn."""

    def __init__(self, limits: FetchLimits) -> None:
        self._limits = limits
        self._id = 0
        self._epoch = 0
        self.asked: dict[Place, int] = {}
        """The offset that the last request asked for, by place."""

    def request(self, wanted: dict[Place, int]) -> Fetch:
        """Ask for exactly these places, each from its offset."""
        before, self.asked = self.asked, wanted
        if not self._epoch:
            return self._encode(wanted, ())
        news = {place: at for place, at in wanted.items() if before.get(place) != at}
        return self._encode(news, before.keys() - wanted.keys())

    def answered(self, fetched: Fetched) -> None:
        """Go on with the session that the broker opened, if it did; it may be short of room."""
        if not self._epoch:
            self._id = fetched.session
        if self._id:
            self._epoch = self._epoch % _MAX_EPOCH + 1

    def lost(self) -> None:
        """Begin anew: the broker has forgotten the session, or never saw its last request."""
        self._id = self._epoch = 0

    def _encode(self, wanted: Mapping[Place, int], dropped: Iterable[Place]) -> Fetch:
        limits = self._limits
        topics, forgotten = by_topic(wanted), by_topic(dropped)
        wait, least = int(limits.wait * 1000), 1
        head = (_CONSUMER, wait, least, limits.total_bytes, limits.isolation, self._id, self._epoch)
        parts = [_HEAD.pack(*head, len(topics))]
        for topic, partitions in topics.items():
            parts += (text(topic), INT.pack(len(partitions)))
            for partition in partitions:
                at = wanted[topic, partition]
                parts.append(_WANTED.pack(partition, _ANY, at, _ANY, limits.place_bytes))
        parts.append(INT.pack(len(forgotten)))
        for topic, partitions in forgotten.items():
            packed = struct.pack(f">i{len(partitions)}i", len(partitions), *partitions)
            parts += (text(topic), packed)
        parts.append(text(""))  # no rack
        return Fetch(b"".join(parts))
