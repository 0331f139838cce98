"""Which lane is served next: a guaranteed share each, and nothing idle while there is work."""

from collections.abc import Callable, Iterable, Mapping

from sagalog.schemas.topics import COMPENSATIONS

WEIGHTS: Mapping[str, int] = {"high": 16, "normal": 4, "low": 1, COMPENSATIONS: 16}


AGEING = 60_000
"""A lane whose oldest request has waited for so many times as long (ms) weighs as much more."""

OLDEST = 4.0
"""At most so much more: low then weighs as much as normal, and high four times as much."""


def _none(_: str) -> int:
    return 0


def aged(wait: int) -> float:
    """How many times its weight a lane has whose oldest request has waited so long (ms)."""
    return min(max(wait / AGEING, 1.0), OLDEST)


class Shares:
    """Stride scheduling: of the lanes with work, the one that was served least for its weight.

    Over any long stretch in which all lanes have work, each gets weight / sum of weights,
    where what has waited for minutes weighs more, by `aged`.
    A lane that comes back from idle starts level with the others: it cannot save up.
    Source: Waldspurger and Weihl, Stride Scheduling, 1995.
    """

    __slots__ = ("_passes", "_strides", "_time")

    def __init__(self, weights: Mapping[str, int] = WEIGHTS) -> None:
        self._strides = {lane: 1 / weight for lane, weight in weights.items()}
        self._passes = dict.fromkeys(weights, 0.0)
        self._time = 0.0

    def serve(
        self,
        lanes: Iterable[str],
        wait: Callable[[str], int] = _none,
        owed: Iterable[str] = (),
    ) -> str:
        """The lane to serve now, of those that have work (at least one), charged one turn.

        `wait` tells how long (ms) the oldest request of a lane has waited. `owed` are lanes
        that have work and no room for it now: they are no idle ones, and lose no turn by it.
        """
        passes = self._passes
        lane = min(lanes, key=lambda name: max(passes[name], self._time))
        ahead = max(passes[lane], self._time)
        self._time = max(self._time, min([ahead, *(passes[name] for name in owed)]))
        passes[lane] = ahead + self._strides[lane] / aged(wait(lane))
        return lane
