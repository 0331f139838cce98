"""Which lane offsets may be committed: those below the lowest one that is not yet done."""


class OffsetMap:
    """The requests of one lane that are taken in, and which of them are done.

    `low` is the offset to commit: every request below it is done. It never goes back, and
    no hole is ever skipped, however wide (invariant O1).
    """

    __slots__ = ("_done", "_read", "low")

    def __init__(self, start: int) -> None:
        self.low = start
        self._read = start
        self._done: set[int] = set()

    @property
    def read(self) -> int:
        """One past the highest offset taken in."""
        return self._read

    def take(self, offset: int) -> None:
        """The request at `offset` is taken in. Offsets between, which the log has not, are done."""
        self._done.update(range(self._read, offset))
        self._read = max(self._read, offset + 1)

    def done(self, offset: int) -> None:
        """The request at `offset` needs no further reading; saying it twice is harmless."""
        if offset < self.low:
            return
        self._done.add(offset)
        while self.low in self._done:
            self._done.remove(self.low)
            self.low += 1
