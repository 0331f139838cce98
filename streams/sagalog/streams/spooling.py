"""The spool at work: a thread of its own that writes it, and hands what it holds to the log."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

from sagalog.schemas.claims import Backup
from sagalog.streams.errors import LogError, RecordTooLarge
from sagalog.streams.logs import logger
from sagalog.streams.posting import Post
from sagalog.streams.spool import Held, Spool

log = logger(__name__)

T = TypeVar("T")


class Spooling:
    """Writes and publishes one spool. Handlers that are stuck cannot hold it up."""

    def __init__(self, post: Post, spool: Spool) -> None:
        self._post, self._spool = post, spool
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sagalog-spool")

    def close(self) -> None:
        """Nothing is written after this."""
        self._thread.shutdown(wait=False)

    async def keep(self, backup: Backup) -> None:
        """Write a backup; durable on return. Raises SpoolError."""
        await self._write(backup.id, self._post.encoded(backup))

    async def take_away(self, backup: Backup) -> None:
        """Say that a backup is needed no more. Raises SpoolError."""
        await self._write(backup.id, None)

    async def run(self, interval: Callable[[], float]) -> None:
        """Publish whenever there is something, for ever; look each so many seconds."""
        while True:
            try:
                if not self._spool.empty:
                    await self.publish()
            except Exception as error:  # noqa: BLE001 (whatever it is, the rest is not given up)
                log.warning("the spool cannot be published, trying again", error=repr(error))
            await asyncio.sleep(interval())

    async def publish(self) -> int:
        """Hand what the spool holds to the log; how many backups. None is removed before.

        Of each backup the newest record alone, and what cannot be handed over is set aside.
        """
        count = 0
        async with self._files() as files:
            newest = {id: held for held in files for id in held.records}
            for held in files:
                records = [r for id, r in held.records.items() if r and newest[id] is held]
                backups = [self._decoded(record) for record in records]
                refused = sum(await asyncio.gather(*(self._refused(one) for one in backups)))
                await self._done(held._replace(refused=refused))
                count += len(records) - refused
        return count

    @asynccontextmanager
    async def _files(self) -> AsyncGenerator[list[Held]]:
        publishing = self._spool.publishing()
        files = await self._there(publishing.__enter__)
        try:
            yield files or []
        finally:
            publishing.__exit__(None, None, None)

    async def _done(self, held: Held) -> None:
        kept = await self._there(partial(self._spool.done, held))
        if kept is not None:
            said = "lines of the spool cannot be published, and are kept for a person"
            log.error(said, path=str(kept), refused=held.refused, torn=held.torn)

    def _decoded(self, record: bytes) -> Backup | None:
        try:
            return self._post.decoded(record)
        except Exception as error:  # noqa: BLE001 (its line may be of any version, or forged)
            log.error("a line of the spool cannot be read", why=repr(error))
            return None

    async def _refused(self, backup: Backup | None) -> bool:
        """Hand one over; whether that can never be done. Raises LogError where it may yet."""
        if backup is None:
            return True
        try:
            await self._post.publish(backup)
        except RecordTooLarge as error:
            log.error("a spooled backup is too large", backup=backup.id, why=str(error))
            return True
        except LogError:
            raise
        except Exception as error:  # noqa: BLE001 (one must not hold up the others)
            log.error("a spooled backup cannot be published", backup=backup.id, why=repr(error))
            return True
        return False

    async def _write(self, id: str, record: bytes | None) -> None:
        await self._there(partial(self._spool.write, id, record))

    async def _there(self, call: Callable[[], T]) -> T:
        """Call it in the spool's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)
