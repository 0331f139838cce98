"""Tells in one line which partitions a pod has, whenever that has changed."""

import asyncio
from collections.abc import Collection

from sagalog.streams.cli.documents import write_line
from sagalog.streams.logs import logger

log = logger("sagalog")

CALM = 0.05
"""Seconds without a further change, after which a change is told: they come in swarms."""


class PartitionNews:
    """Hears of each change and tells of the calm after it."""

    def __init__(self, app: str, member: str, url: str, *, as_json: bool) -> None:
        self._app, self._member, self._url, self._as_json = app, member, url, as_json
        self._now: frozenset[int] = frozenset()
        self._told: frozenset[int] = frozenset()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def changed(self, partitions: frozenset[int]) -> None:
        """The pod has these partitions now."""
        self._now = partitions
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(CALM, self._tell)

    def close(self) -> None:
        """Tell nothing more: the pod gives all up."""
        self._closed = True

    def _tell(self) -> None:
        if self._closed or self._now == self._told:
            return
        self._told = self._now
        app, member = self._app, self._member
        if self._as_json:
            numbers = sorted(self._now)
            write_line({"event": "partitions", "app": app, "member": member, "partitions": numbers})
        log.info(f"{app} runs here", partitions=ranges(self._now), member=member, log=self._url)


def ranges(numbers: Collection[int]) -> str:
    """Numbers for people: `0-3,7`, or `none`."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(str(p[0]) if len(p) == 1 else f"{p[0]}-{p[-1]}" for p in parts) or "none"
