"""Orders to purge a lane: what waits below an offset ends as cancelled when its turn comes."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sagalog.engine.effects import LaneDone
from sagalog.engine.offsets import OffsetMap
from sagalog.schemas.requests import Purge


class Order(NamedTuple):
    """One order, and the request that it came with."""

    lane: str
    below: int
    sentence: str
    done: LaneDone


class Purges:
    """The orders of one partition that are not carried out yet.

    An order's own request is done when all below its offset is: so it is read again by the
    next owner for as long as it matters, and no fact of its own is needed.
    """

    __slots__ = ("_orders",)

    def __init__(self) -> None:
        self._orders: list[Order] = []

    def take(self, request: Purge, done: LaneDone) -> None:
        """Take an order in. Of its own lane it can purge what stands before it."""
        own = done.lane == request.lane
        below = min(request.below, done.offset) if own else request.below
        self._orders.append(Order(request.lane, below, _sentence(request), done))

    def sentence(self, lane: str, offset: int) -> str:
        """By whom and why the request is purged; empty where it is not."""
        for order in self._orders:
            if order.lane == lane and offset < order.below:
                return order.sentence
        return ""

    def carried_out(self, offsets: Mapping[str, OffsetMap]) -> Iterator[LaneDone]:
        """The requests of the orders below which nothing waits any more; each is told once."""
        for order in self._orders[:]:
            if offsets[order.lane].low >= order.below:
                self._orders.remove(order)
                yield order.done


def _sentence(request: Purge) -> str:
    who = f" by {request.by}" if request.by else ""
    why = f": {request.reason}" if request.reason else ""
    return f"its lane was purged{who}{why}"
