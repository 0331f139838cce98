"""Dead letters: a record that could not be taken in can be put back byte for byte."""

import pytest

from sagalog.schemas import Envelope, Record, decode, encode
from sagalog.schemas.deadletters import PoisonRecord

HEADERS = (("trace", b"\x00\xff"), ("trace", b"twice"))


@pytest.mark.parametrize("key", [None, b"", b"\xff\x00", b"i"])
@pytest.mark.parametrize("value", [None, b"", b"\xff{", b"not JSON"])
def test_a_poison_record_comes_back_byte_for_byte(key: bytes | None, value: bytes | None) -> None:
    record = Record("orders.normal", 2, 7, 1234, key, value, HEADERS)
    letter = PoisonRecord.of(record, "not JSON")
    wire = encode(letter, id="l", source="s", subject="i", now=0)
    read = decode(wire)
    assert isinstance(read, Envelope)
    assert read.data.entry() == (key, value, HEADERS)


def test_a_poison_record_says_where_it_stood_and_why_it_is_here() -> None:
    letter = PoisonRecord.of(Record("orders.normal", 2, 7, 1234, b"k", b"v"), "not JSON")
    where = (letter.topic, letter.partition, letter.offset, letter.timestamp)
    assert where == ("orders.normal", 2, 7, 1234)
    assert letter.reason == "not JSON"
