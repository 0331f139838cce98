"""What is on the wire: requests, facts, their envelope, codec and topics."""

from sagalog.schemas.codec import decode, encode
from sagalog.schemas.envelope import Envelope, Poison, Unknown
from sagalog.schemas.record import Entry, Record
from sagalog.schemas.topics import Topics, TopicSpec

__all__ = [
    "Entry",
    "Envelope",
    "Poison",
    "Record",
    "TopicSpec",
    "Topics",
    "Unknown",
    "decode",
    "encode",
]
