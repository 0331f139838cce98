"""What the blocking client says for those who look after an app."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from sagalog.engine import Limit, Operation
from sagalog.schemas.definition import Json, Priority
from sagalog.streams.backups import Done, Kept
from sagalog.streams.client import Client
from sagalog.streams.pausing import Hold
from sagalog.streams.status import Status

U = TypeVar("U")


class BlockingVerbs:
    """The part of `BlockingClient` about backups, pauses, limits, and the app as a whole."""

    def _call(self, ask: Callable[[Client], Coroutine[Any, Any, U]]) -> U:
        raise NotImplementedError

    def backups(self) -> list[Kept]:
        """All open backups; see `Client.backups`."""
        return self._call(lambda c: c.backups())

    def retry_backup(self, id: str, *, by: str = "") -> Done:
        """Have a backup's work tried again; see `Client.retry_backup`."""
        return self._call(lambda c: c.retry_backup(id, by=by))

    def resolve_backup(self, id: str, result: Json = None, *, by: str = "") -> Done:
        """Take a backup's work as done by hand; see `Client.resolve_backup`."""
        return self._call(lambda c: c.resolve_backup(id, result, by=by))

    def pause(
        self,
        operation: Operation[..., Any] | str = "",
        *,
        lane: str = "",
        reason: str = "",
        by: str = "",
    ) -> None:
        """Hold an operation, or a lane; see `Client.pause`."""
        self._call(lambda c: c.pause(operation, lane=lane, reason=reason, by=by))

    def resume(
        self,
        operation: Operation[..., Any] | str = "",
        *,
        lane: str = "",
        reason: str = "",
        by: str = "",
    ) -> None:
        """Let it go on; see `Client.resume`."""
        self._call(lambda c: c.resume(operation, lane=lane, reason=reason, by=by))

    def pauses(self) -> list[Hold]:
        """What is held now; see `Client.pauses`."""
        return self._call(lambda c: c.pauses())

    def purge(self, lane: Priority, reason: str = "", *, by: str = "") -> None:
        """Let what waits in a lane now end as cancelled; see `Client.purge`."""
        self._call(lambda c: c.purge(lane, reason, by=by))

    def status(self) -> Status:
        """How the app stands; see `Client.status`."""
        return self._call(lambda c: c.status())

    def set_limit(
        self,
        operation: Operation[..., Any] | str,
        limit: Limit | None,
        *,
        key: str | None = None,
        by: str = "",
    ) -> None:
        """Limit an operation from now on; see `Client.set_limit`."""
        self._call(lambda c: c.set_limit(operation, limit, key=key, by=by))
