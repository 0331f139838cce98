"""A new epoch for a producer that goes on (InitProducerId, version 3, KIP-360).

aiokafka's version of the request fences whoever has the transactional id. This one names who
asks, and is refused if another has it by now.
"""

import struct
from io import BytesIO
from typing import ClassVar, NamedTuple

from sagalog.streams.kafka.batches import Identity
from sagalog.streams.kafka.wire import NO_TAGS, Encoded, compact

_WHO = struct.Struct(">iqh")
_ANSWER = struct.Struct(">ihqh")


class Renewed(NamedTuple):
    """The answer: who the producer is from now on, where the code is 0."""

    code: int
    identity: Identity

    @classmethod
    def decode(cls, data: BytesIO) -> "Renewed":
        """Read the answer."""
        _, code, producer_id, epoch = _ANSWER.unpack(data.read(_ANSWER.size))
        return cls(code, Identity(producer_id, epoch))


class Renew(Encoded):
    """Ask for the next epoch of a producer."""

    __slots__ = ()

    API_KEY: ClassVar[int] = 22
    API_VERSION: ClassVar[int] = 3
    FLEXIBLE: ClassVar[bool] = True
    RESPONSE_TYPE: ClassVar = Renewed


def renew(transactional_id: str, timeout: float, identity: Identity) -> Renew:
    """Encode the request; transactions time out after `timeout` seconds."""
    who = _WHO.pack(int(timeout * 1000), *identity)
    return Renew(compact(transactional_id) + who + NO_TAGS)
