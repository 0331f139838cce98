"""From a trace that fails to a shorter and duller one that fails in the same way."""

import time
from collections.abc import Callable, Iterator, Sequence

Judged = Callable[[Sequence[int]], str]
"""What a trace breaks, beginning with the letter of an invariant; empty where nothing."""


def shrunk(trace: Sequence[int], judged: Judged, seconds: float) -> tuple[list[int], str]:
    """The shortest and dullest trace found within so many seconds, and what it breaks."""
    best, said = list(trace), judged(trace)
    letter, until = said[:2], time.monotonic() + seconds
    changed = bool(said)
    while changed:
        changed = False
        for candidate in _simpler(best):
            if time.monotonic() > until:
                return _trimmed(best), said
            found = judged(candidate)
            if found and found[:2] == letter:
                best, said, changed = _trimmed(candidate), found, True
                break
    return _trimmed(best), said


def _simpler(trace: list[int]) -> Iterator[list[int]]:
    """Parts cut off, cut out, and made dull: large parts first."""
    size = len(trace)
    part = size // 2
    while part:
        yield trace[: size - part]
        for at in range(0, size, part):
            if any(trace[at : at + part]):
                yield [*trace[:at], *[0] * len(trace[at : at + part]), *trace[at + part :]]
        for at in range(0, size, part):
            yield [*trace[:at], *trace[at + part :]]
        part //= 2
    for at, number in enumerate(trace):
        if number > 1:
            yield [*trace[:at], number // 2, *trace[at + 1 :]]


def _trimmed(trace: list[int]) -> list[int]:
    """Without the dull end, which is implied."""
    while trace and not trace[-1]:
        trace = trace[:-1]
    return trace
