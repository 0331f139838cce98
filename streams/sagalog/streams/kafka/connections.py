"""One connection to each broker for each lane; lanes do not wait for each other.

Kafka answers the requests of a connection one after the other, so a fetch that waits for
news would hold up an append behind it.
"""

import asyncio
from contextlib import suppress
from typing import Any

from sagalog.streams.errors import LogUnavailable
from sagalog.streams.kafka.library import BROKEN, REFUSED, Connection, connect
from sagalog.streams.kafka.retry import Closed, Refused
from sagalog.streams.kafka.settings import KafkaSettings

Address = tuple[str, int]
Key = tuple[Address, str]

_CONNECT_TIMEOUT = 5.0
_CLOSE_TIMEOUT = 1.0


class Connections:
    """The open connections, by address and lane."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._ssl = settings.ssl_context()
        self._open: dict[Key, Connection] = {}
        self._opening: dict[Key, asyncio.Lock] = {}
        self._connecting: set[asyncio.Task[Connection]] = set()
        self._closed = False

    async def send(self, address: Address, lane: str, request: object) -> Any:
        """Ask one broker. Raises LogUnavailable if it cannot be reached, Refused if it declines."""
        connection = self._open.get((address, lane))
        if connection is None or not connection.connected():
            connection = await self._connect((address, lane))
        try:
            return await connection.send(request)
        except REFUSED as error:
            raise Refused(_sentence(address, error)) from error
        except BROKEN as error:
            # A late answer would be taken for the answer to the next request.
            connection.close()
            raise LogUnavailable(_sentence(address, error)) from error

    async def discard(self, address: Address, lane: str) -> None:
        """Close one connection; what is asked on it fails."""
        self._opening.pop((address, lane), None)
        if connection := self._open.pop((address, lane), None):
            await _close(connection)

    async def drop(self, lane: str) -> None:
        """Close a lane's connections."""
        for address, name in list(self._open):
            if name == lane:
                await self.discard(address, lane)

    async def close(self) -> None:
        """Close all; no more can be opened."""
        self._closed = True
        while self._open:
            await _close(self._open.popitem()[1])
        if self._connecting:
            await asyncio.wait(self._connecting, timeout=_CLOSE_TIMEOUT)

    async def _connect(self, key: Key) -> Connection:
        async with self._opening.setdefault(key, asyncio.Lock()):
            connection = self._open.get(key)
            if connection is None or not connection.connected():
                connection = self._open[key] = await self._new(key[0])
            return connection

    async def _new(self, address: Address) -> Connection:
        if self._closed:
            raise Closed("this log is closed")
        try:
            connection = await self._connected(address)
        except REFUSED as error:
            raise Refused(_sentence(address, error)) from error
        except BROKEN as error:
            raise LogUnavailable(_sentence(address, error)) from error
        if self._closed:
            await _close(connection)
            raise Closed("this log is closed")
        return connection

    async def _connected(self, address: Address) -> Connection:
        """A connection; one that comes too late, for whatever reason, is closed and not leaked."""
        task = asyncio.create_task(connect(self._settings, self._ssl, *address))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT):
                return await asyncio.shield(task)
        except (TimeoutError, asyncio.CancelledError):
            task.add_done_callback(_unwanted)
            raise


def _unwanted(task: "asyncio.Task[Connection]") -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


def _sentence(address: Address, error: Exception) -> str:
    return f"{address[0]}:{address[1]}: {str(error) or type(error).__name__}"


async def _close(connection: Connection) -> None:
    with suppress(*BROKEN):
        if closed := connection.close():
            await closed
