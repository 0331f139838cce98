"""When a file's records are trimmed, expired and deleted."""

import asyncio
import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Final

from sagalog.schemas.topics import TopicSpec
from sagalog.streams.embedded.catalogue import Catalogue
from sagalog.streams.embedded.trimming import expire, sweep, trim
from sagalog.streams.embedded.writer import Writer
from sagalog.streams.errors import LogError
from sagalog.streams.log import Place

logger: Final = logging.getLogger(__name__)

EVERY: Final = 60.0
"""Seconds between two looks for expired records."""

REST: Final = 0.005
"""Seconds between two steps, which are the appends'."""


class Retention:
    """Moves starts at once, and deletes in the background what then stands below them."""

    def __init__(self, writer: Writer, catalogue: Catalogue, clock: Callable[[], int]) -> None:
        self._writer = writer
        self._catalogue = catalogue
        self._clock = clock
        self._wanted = asyncio.Event()
        self._tasks = [asyncio.create_task(self._expire_now_and_then())]
        self._tasks.append(asyncio.create_task(self._sweep_when_wanted()))

    async def stop(self) -> None:
        """End; what is left to delete is found again by the next process that trims."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    async def trim(self, offsets: Mapping[Place, int]) -> None:
        """Move the start of each place to its offset."""
        numbered = {self._catalogue.number(place): (place, at) for place, at in offsets.items()}
        await self._writer.run(lambda connection: trim(connection, numbered))
        self._wanted.set()

    async def expire(self, now_ms: int) -> None:
        """Move the start of each place beyond what is older than its topic keeps."""
        for spec in self._catalogue.specs():
            keep = retention_ms(spec)
            if keep is not None:
                for partition in range(spec.partitions):
                    await self._expire_place((spec.name, partition), now_ms - keep)

    async def _expire_place(self, place: Place, older_than: int) -> None:
        number = self._catalogue.number(place)
        while await self._writer.run(lambda connection: expire(connection, number, older_than)):
            await self._sweep()

    async def _sweep(self) -> None:
        more = True
        while more:
            more = await self._writer.run(sweep)
            await asyncio.sleep(REST)

    async def _sweep_when_wanted(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            with logged():
                await self._sweep()

    async def _expire_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            with logged():
                await self.expire(self._clock())


@contextmanager
def logged() -> Generator[None]:
    """Let an error be met again the next time, for nobody waits for this."""
    try:
        yield
    except LogError as error:
        logger.warning("Old records were not deleted: %s", error)


def retention_ms(spec: TopicSpec) -> int | None:
    """How long a topic keeps its records; None for ever."""
    policy = spec.settings.get("cleanup.policy", "delete")
    keep = int(spec.settings.get("retention.ms", "-1"))
    return keep if keep >= 0 and "delete" in policy.split(",") else None
