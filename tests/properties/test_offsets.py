"""Offsets (O1, O2): compared with a naive set, whatever the order of reading and ending."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sagalog.engine.offsets import OffsetMap


@given(
    start=st.integers(0, 5),
    width=st.integers(1, 40),
    missing=st.sets(st.integers(0, 45)),
    chance=st.randoms(use_true_random=False),
)
def test_no_request_that_is_not_done_is_committed_past(
    start: int, width: int, missing: set[int], chance: Random
) -> None:
    offsets = OffsetMap(start)
    unread = [offset for offset in range(start, start + width) if offset not in missing]
    open_: set[int] = set()
    taken: set[int] = set()
    low = start
    while unread or open_:
        if unread and (not open_ or chance.random() < 0.5):
            offset = unread.pop(0)
            offsets.take(offset)
            open_.add(offset)
            taken.add(offset)
        else:
            offset = chance.choice(sorted(open_))
            open_.discard(offset)
            offsets.done(offset)
        assert offsets.low >= low, "it went back (O2)"
        low = offsets.low
        assert not any(offset < low for offset in open_), "committed past an open one (O1)"
        assert low <= max(taken) + 1, "committed past what was read"
    if taken:
        assert offsets.low == max(taken) + 1
