"""The broker that keeps the books of one group, or of one transactional id."""

import asyncio
from enum import IntEnum
from typing import Any

from sagalog.streams.errors import LogUnavailable
from sagalog.streams.kafka.cluster import CONTROL, Cluster
from sagalog.streams.kafka.codes import MOVED_COORDINATOR, check
from sagalog.streams.kafka.library import FindCoordinator


class Keeper(IntEnum):
    """What the books are about."""

    GROUP = 0
    TRANSACTION = 1


class Coordinator:
    """Finds the coordinator when it is first needed, and again whenever it has moved."""

    def __init__(self, cluster: Cluster, kind: Keeper, key: str, lane: str = CONTROL) -> None:
        self._cluster = cluster
        self._kind = kind
        self._key = key
        self._lane = lane
        self._broker: int | None = None

    async def ask(self, request: object, timeout: float | None = None) -> Any:
        """Its answer; raises LogUnavailable if it cannot be found or reached.

        Silence of `timeout` seconds ends all that is asked on this lane.
        """
        try:
            async with asyncio.timeout(timeout):
                if self._broker is None:
                    self._broker = await self._find()
                return await self._cluster.send(self._broker, request, self._lane)
        except LogUnavailable:
            self._broker = None
            raise
        except TimeoutError as error:
            self._broker = None
            await self._cluster.disconnect(self._lane)
            raise LogUnavailable(f"the coordinator of {self._key} is silent") from error

    def check(self, code: int, doing: str) -> None:
        """Raise unless it succeeded; look for it again if it has moved."""
        if code in MOVED_COORDINATOR:
            self._broker = None
        check(code, f"{doing} {self._key}")

    async def _find(self) -> int:
        found = await self._cluster.send_any(FindCoordinator(self._key, self._kind))
        check(found.error_code, f"finding the coordinator of {self._key}")
        return int(found.coordinator_id)
