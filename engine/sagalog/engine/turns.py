"""Calls that wait for the same permits: by lane, and in a lane tenant after tenant."""

from collections import deque

from sagalog.engine.effects import Call
from sagalog.engine.shares import Shares


class Turns:
    """A queue in which the flood of one tenant does not stand before another."""

    __slots__ = ("_lanes", "_shares", "_size")

    def __init__(self) -> None:
        self._lanes: dict[str, dict[str, deque[Call]]] = {}
        self._shares = Shares()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def of(self, lane: str, tenant: str) -> int:
        """How many of a tenant wait in a lane."""
        return len(self._lanes.get(lane, {}).get(tenant, ()))

    def add(self, call: Call, tenant: str, *, first: bool = False) -> None:
        """One more waits; `first` of its tenant where it has waited already."""
        calls = self._lanes.setdefault(call.lane, {}).setdefault(tenant, deque())
        if first:
            calls.appendleft(call)
        else:
            calls.append(call)
        self._size += 1

    def pop(self) -> Call:
        """The next one. Raises ValueError where none waits."""
        lane = self._shares.serve(self._lanes)
        tenants = self._lanes[lane]
        tenant = next(iter(tenants))
        calls = tenants.pop(tenant)
        call = calls.popleft()
        if calls:
            tenants[tenant] = calls  # behind the others
        elif not tenants:
            del self._lanes[lane]
        self._size -= 1
        return call

    def clear(self) -> None:
        """Nobody waits any more."""
        self._lanes.clear()
        self._size = 0
