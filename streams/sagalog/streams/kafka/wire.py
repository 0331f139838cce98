"""The bytes of the requests that are too frequent, or too new, for aiokafka's own codec."""

import struct
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any, ClassVar, Protocol, Self

from sagalog.streams.kafka.library import IncompatibleBroker
from sagalog.streams.log import Place

SHORT = struct.Struct(">h")
INT = struct.Struct(">i")
INTS = struct.Struct(">ii")
_HEADER = struct.Struct(">hhih")

NO_TAGS = b"\0"


class Answer(Protocol):
    """How an answer is made of its bytes."""

    @classmethod
    def decode(cls, data: BytesIO) -> Any:
        """The answer; `data` is read up to the end of the header."""
        ...


class _Bytes:
    """Something encoded already."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = data

    def encode(self) -> bytes:
        return self._data


class _Correlation:
    """The header of an answer: which request it is for."""

    __slots__ = ("correlation_id",)

    def __init__(self, correlation_id: int) -> None:
        self.correlation_id = correlation_id


class Encoded:
    """A request in one fixed version, in the shape in which an aiokafka connection sends it."""

    __slots__ = ("_body",)

    API_KEY: ClassVar[int]
    API_VERSION: ClassVar[int]
    FLEXIBLE: ClassVar[bool] = False
    """Whether this version has tagged fields (KIP-482), of which we send none."""
    RESPONSE_TYPE: ClassVar[type[Answer]]

    def __init__(self, body: bytes) -> None:
        self._body = body

    def prepare(self, versions: Mapping[int, tuple[int, int]]) -> Self:
        """Itself, if the broker knows this version."""
        low, high = versions.get(self.API_KEY, (0, -1))
        if not low <= self.API_VERSION <= high:
            raise IncompatibleBroker(
                f"the broker knows request {self.API_KEY} in versions {low} to {high},"
                f" and {self.API_VERSION} is needed (Kafka 2.5 or newer)"
            )
        return self

    def build_request_header(self, *, correlation_id: int, client_id: str) -> _Bytes:
        """What stands before the body."""
        client = client_id.encode()
        head = _HEADER.pack(self.API_KEY, self.API_VERSION, correlation_id, len(client))
        return _Bytes(head + client + (NO_TAGS if self.FLEXIBLE else b""))

    def encode(self) -> bytes:
        """The body."""
        return self._body

    def parse_response_header(self, data: BytesIO) -> _Correlation:
        """Read the answer's header."""
        correlation = _Correlation(INT.unpack(data.read(4))[0])
        if self.FLEXIBLE:
            data.read(len(NO_TAGS))
        return correlation


def text(value: str | None) -> bytes:
    """A string with its length; None has its own sign."""
    if value is None:
        return b"\xff\xff"
    data = value.encode()
    return SHORT.pack(len(data)) + data


def compact(value: str) -> bytes:
    """A string with its length, as flexible versions have it."""
    data = value.encode()
    rest, length = len(data) + 1, bytearray()
    while rest > 0x7F:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*length, rest]) + data


def read_text(data: bytes, at: int) -> tuple[str, int]:
    """The string that starts at `at`, and where it ends."""
    start = at + 2
    end = start + SHORT.unpack_from(data, at)[0]
    return data[start:end].decode(), end


def by_topic(places: Iterable[Place]) -> dict[str, list[int]]:
    """The partitions of each topic."""
    topics: dict[str, list[int]] = {}
    for topic, partition in places:
        topics.setdefault(topic, []).append(partition)
    return topics
