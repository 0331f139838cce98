"""Which partition a key belongs to: Kafka's default partitioner, in any language the same."""

from functools import lru_cache
from struct import Struct

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995


def murmur2(data: bytes) -> int:
    """MurmurHash2 as the Java client computes it (seed 0x9747b28c), as an unsigned int."""
    length = len(data)
    h = 0x9747B28C ^ length
    for word in _words(length >> 2).unpack_from(data):
        k = word * _M & _MASK
        h = (h * _M ^ (k ^ (k >> 24)) * _M) & _MASK
    tail = data[length & ~3 :]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * _M & _MASK
    h = (h ^ (h >> 13)) * _M & _MASK
    return h ^ (h >> 15)


@lru_cache(maxsize=256)
def _words(count: int) -> Struct:
    return Struct(f"<{count}I")


@lru_cache(maxsize=1024)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key: murmur2, made positive, modulo the count."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
