"""The offset map: no request is ever committed past that is not done."""

import pytest

from sagalog.engine.offsets import OffsetMap


def taken(start: int, *offsets: int) -> OffsetMap:
    offset_map = OffsetMap(start)
    for offset in offsets:
        offset_map.take(offset)
    return offset_map


def test_what_is_done_in_order_may_be_committed() -> None:
    offsets = taken(5, 5, 6, 7)
    for offset in (5, 6, 7):
        offsets.done(offset)
        assert offsets.low == offset + 1


@pytest.mark.parametrize("width", [1, 2, 500])
def test_no_hole_is_skipped_however_wide(width: int) -> None:
    offsets = taken(0, *range(width + 10))
    for offset in range(width, width + 10):
        offsets.done(offset)
    assert offsets.low == 0
    for offset in range(width - 1):
        offsets.done(offset)
    assert offsets.low == width - 1
    offsets.done(width - 1)
    assert offsets.low == width + 10


def test_in_a_fresh_group_the_first_request_holds_up_the_second() -> None:
    offsets = taken(0, 0, 1)
    offsets.done(1)
    assert offsets.low == 0


def test_what_the_log_has_not_is_no_hole() -> None:
    offsets = taken(0, 0, 3)
    offsets.done(0)
    offsets.done(3)
    assert offsets.low == 4


def test_a_request_that_is_not_taken_in_holds_up_nothing_below_it() -> None:
    offsets = taken(0, 0, 1)
    offsets.done(0)
    offsets.done(1)
    assert (offsets.low, offsets.read) == (2, 2)


def test_saying_it_twice_is_harmless() -> None:
    offsets = taken(0, 0, 1)
    for _ in range(3):
        offsets.done(0)
    assert offsets.low == 1
    offsets.done(1)
    assert offsets.low == 2


def test_what_is_read_again_counts_once() -> None:
    offsets = taken(0, 0, 1, 0, 1)
    offsets.done(0)
    assert offsets.low == 1
    assert offsets.read == 2


def test_it_never_goes_back() -> None:
    offsets = taken(10, 10)
    offsets.done(10)
    offsets.take(3)
    offsets.done(3)
    assert offsets.low == 11
