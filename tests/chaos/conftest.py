"""A broker with a place for a proxy before it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

import pytest

from tests.chaos.proxy import Proxy
from tests.chaos.rules import Rules, Strike
from tests.kafka.broker import free_port
from tests.kafka.find import new_broker

PATIENCE = 5.0


class Front(NamedTuple):
    """The addresses of a broker: its own, and that of a proxy before it."""

    direct: str
    behind: str
    port: int

    @property
    def proxied(self) -> str:
        """Where the proxy listens."""
        return f"127.0.0.1:{self.port}"


class Struck(Proxy):
    """A proxy in this process."""

    def __init__(self, front: Front) -> None:
        host, _, port = front.behind.rpartition(":")
        self._struck = asyncio.Event()
        super().__init__(front.port, (host, int(port)), Rules({}, 0, self._note))

    def _note(self, _: Strike) -> None:
        self._struck.set()

    async def struck(self, what: str) -> None:
        """Wait until it has struck so: a test without is void."""
        async with asyncio.timeout(PATIENCE):
            while not self.rules.counts[what]:
                self._struck.clear()
                await self._struck.wait()


@pytest.fixture(scope="session")
def front() -> Iterator[Front]:
    """A broker of its own, which sends those who ask behind it to the proxy's port."""
    port = free_port()
    with new_broker(through=port) as broker:
        yield Front(broker.bootstrap, broker.behind, port)


@pytest.fixture
async def proxy(front: Front) -> AsyncIterator[Struck]:
    """A proxy before that broker; aim it."""
    proxy = Struck(front)
    await proxy.open()
    yield proxy
    await proxy.close()
