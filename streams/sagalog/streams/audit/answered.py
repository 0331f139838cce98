"""Which requests have had their life (rule 5)."""


class Answered:
    """The offsets of each lane whose request has begun a life.

    Those below the low water are not kept, since no request from there begins any.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, set[int]] = {}
        self._many = 1024

    def add(self, lane: str, offset: int, low: int) -> bool:
        """A request begins a life; whether it is its first one."""
        answered = self._lanes.setdefault(lane, set())
        if offset in answered:
            return False
        answered.add(offset)
        if len(answered) > self._many:
            kept = {one for one in answered if one >= low}
            self._lanes[lane] = kept
            self._many = max(1024, 2 * len(kept))
        return True
