"""What a client says about the critical path."""

from collections.abc import Awaitable
from typing import Any, TypeVar, Unpack, overload

from sagalog.engine import App, Operation
from sagalog.schemas.definition import Json
from sagalog.streams.backups import Done, Kept, Release, one_of, read_backups, resolve, retry
from sagalog.streams.composer import Composer
from sagalog.streams.critical import Critical, CriticalPath
from sagalog.streams.critical_orders import CriticalOptions, order
from sagalog.streams.log import Log
from sagalog.streams.mailbox import Mailbox
from sagalog.streams.posting import Post
from sagalog.streams.surroundings import Clock

T = TypeVar("T")


class CriticalVerbs:
    """The part of `Client` that is about the critical path and its backups."""

    app: App | None
    name: str
    _log: Log
    _composer: Composer
    _mailbox: Mailbox
    _path: CriticalPath
    _post: Post
    _source: str
    _clock: Clock
    release: Release

    @overload
    async def critical(
        self,
        operation: Operation[..., Awaitable[T]],
        input: Any = None,
        **options: Unpack[CriticalOptions],
    ) -> Critical[T]: ...
    @overload
    async def critical(
        self, operation: Operation[..., T], input: Any = None, **options: Unpack[CriticalOptions]
    ) -> Critical[T]: ...
    @overload
    async def critical(
        self, operation: str, input: Any = None, **options: Unpack[CriticalOptions]
    ) -> Critical[Any]: ...
    async def critical(
        self,
        operation: Operation[..., Any] | str,
        input: Any = None,
        **options: Unpack[CriticalOptions],
    ) -> Critical[Any]:
        """Run an operation here and now, and `then` another, with a durable backup behind it.

        Returns once the effect is done and durable: if what follows fails, as an emergency,
        which the pods try again. Runs without the log where that is away. Raises
        CriticalFailed where the effect failed, Conflict where the key has another payload.
        """
        call = order(self.app, self._composer, self._mailbox.address(), operation, input, options)
        return await self._path.run(call)

    async def backups(self) -> list[Kept]:
        """All open backups, the oldest first."""
        return await read_backups(self._log, self.name)

    async def retry_backup(self, id: str, *, by: str = "") -> Done:
        """Have a backup's work tried again, where that is not under way. Raises NoBackup."""
        kept = one_of(await self.backups(), id)
        return await retry(self.release, self._post, kept, by or self._source, self._clock())

    async def resolve_backup(self, id: str, result: Json = None, *, by: str = "") -> Done:
        """Take a backup's work as done by hand, with this result. Raises NoBackup."""
        kept = one_of(await self.backups(), id)
        return await resolve(self.release, self._post, kept, result, by or self._source)
