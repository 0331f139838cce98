"""The partitioner: murmur2 as the Java client has it, so that all producers agree."""

import random

import pytest
from aiokafka.partitioner import murmur2 as theirs

from sagalog.schemas.partitioner import murmur2, partition_of

# From org.apache.kafka.common.utils.UtilsTest.testMurmur2, where they stand as signed ints.
JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "signed"), JAVA.items())
def test_murmur2_is_that_of_the_java_client(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed & 0xFFFFFFFF


@pytest.mark.parametrize("length", range(40))
def test_murmur2_is_that_of_aiokafka(length: int) -> None:
    chance = random.Random(length)
    for _ in range(20):
        key = chance.randbytes(length)
        assert murmur2(key) == theirs(key) & 0xFFFFFFFF


@pytest.mark.parametrize(("key", "signed"), JAVA.items())
@pytest.mark.parametrize("partitions", [1, 4, 7, 1000])
def test_a_key_goes_where_the_java_client_sends_it(
    key: bytes, signed: int, partitions: int
) -> None:
    assert partition_of(key, partitions) == (signed & 0x7FFFFFFF) % partitions


def test_keys_spread_over_all_partitions() -> None:
    counts = [0] * 4
    for number in range(4000):
        counts[partition_of(f"order-{number}".encode(), 4)] += 1
    assert min(counts) > 800
