"""Many places read as one, in the order of the log's stamps, with bounded buffers."""

from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from heapq import heappop, heappush

from sagalog.schemas.record import Record
from sagalog.streams.log import Log, Place

MOST = 2000
"""Records of one place that are held while others are behind."""

PATIENCE = 3
"""Seconds without a record after which the rest of a place counts as a gap."""

RANKS = {"events": 1, "deadletters": 2, "replies": 2}
"""Of two with one stamp: requests first, then facts, then what is told of them."""


class Merge:
    """Reads places from their first offset up to (without) their second one."""

    def __init__(self, log: Log, progress: Callable[[int, int], None] | None = None) -> None:
        self._log, self._reader = log, log.reader()
        self._progress = progress
        self._ends: dict[Place, int] = {}
        self._held: dict[Place, deque[Record]] = {}
        self._heads: list[tuple[int, int, Place]] = []
        self._lacking: set[Place] = set()
        self._paused: set[Place] = set()
        self._read, self._total, self._silent = 0, 0, 0

    def add(self, ranges: Mapping[Place, tuple[int, int]]) -> None:
        """Read these too, from now on."""
        for place, (start, end) in ranges.items():
            self._total += end - start
            if start < end:
                self._ends[place] = end
                self._held[place] = deque()
                self._lacking.add(place)
                self._reader.watch(place, start)

    async def records(self) -> AsyncIterator[Record]:
        """All records; more may be added meanwhile."""
        try:
            while self._lacking or self._heads:
                while self._lacking:
                    await self._fetch()
                if not self._heads:
                    break
                record = self._pop()
                if self._progress is not None:
                    self._progress(min(self._read, self._total), self._total)
                yield record
        finally:
            await self._reader.close()

    def _pop(self) -> Record:
        """The earliest record: every place that is not at its end shows its next one."""
        _, _, place = heappop(self._heads)
        held = self._held[place]
        record = held.popleft()
        if held:
            self._show(place)
        elif place in self._ends:
            self._lacking.add(place)
        if place in self._paused and len(held) < MOST // 2:
            self._paused.discard(place)
            self._reader.resume(place)
        return record

    def _show(self, place: Place) -> None:
        rank = RANKS.get(place[0].rpartition(".")[2], 0)
        heappush(self._heads, (self._held[place][0].timestamp, rank, place))

    async def _fetch(self) -> None:
        records = await self._reader.read(1.0)
        self._silent = 0 if records else self._silent + 1
        if self._silent >= PATIENCE:
            await self._log.ends(self._lacking)  # raises where the log cannot be reached
            for place in list(self._lacking):
                self._finish(place)
        for record in records:
            self._hold(record)

    def _hold(self, record: Record) -> None:
        place = record.topic, record.partition
        end = self._ends.get(place)
        if end is None:
            return
        self._read += 1
        held = self._held[place]
        if record.offset < end:
            held.append(record)
            if place in self._lacking:
                self._lacking.discard(place)
                self._show(place)
        if record.offset + 1 >= end:
            self._finish(place)
        elif len(held) >= MOST and place not in self._paused:
            self._paused.add(place)
            self._reader.pause(place)

    def _finish(self, place: Place) -> None:
        self._reader.drop(place)
        self._paused.discard(place)
        self._lacking.discard(place)
        self._ends.pop(place, None)
