"""Which lane is served next: a guaranteed share each, and nothing idle while there is work."""

from collections.abc import Iterable, Mapping

from sagalog.schemas.topics import COMPENSATIONS

WEIGHTS: Mapping[str, int] = {"high": 16, "normal": 4, "low": 1, COMPENSATIONS: 16}


class Shares:
    """Stride scheduling: of the lanes with work, the one that was served least for its weight.

    Over any long stretch in which all lanes have work, each gets weight / sum of weights.
    A lane that comes back from idle starts level with the others: it cannot save up.
    Source: Waldspurger and Weihl, Stride Scheduling, 1995.
    """

    __slots__ = ("_passes", "_strides", "_time")

    def __init__(self, weights: Mapping[str, int] = WEIGHTS) -> None:
        self._strides = {lane: 1 / weight for lane, weight in weights.items()}
        self._passes = dict.fromkeys(weights, 0.0)
        self._time = 0.0

    def serve(self, lanes: Iterable[str]) -> str:
        """The lane to serve now, of those that have work (at least one), charged one turn."""
        passes = self._passes
        lane = min(lanes, key=lambda name: max(passes[name], self._time))
        self._time = max(passes[lane], self._time)
        passes[lane] = self._time + self._strides[lane]
        return lane
