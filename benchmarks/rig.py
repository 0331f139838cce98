"""The rig of one workload: an app of its own on the log, an owner process, a client here."""

import asyncio
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from aiokafka.admin import AIOKafkaAdminClient

from benchmarks.machine import Pids, listeners
from benchmarks.orders import orders, payload
from benchmarks.owner import Owner
from sagalog.engine import App
from sagalog.schemas.topics import Topics, TopicSpec
from sagalog.streams import Client
from sagalog.streams.log import Log
from sagalog.streams.opening import log_at

PARTITIONS = 4
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says. `share` of 1 means counts as written; a quick run does less."""

    log: Literal["embedded", "kafka"]
    runs: int
    seconds: float
    warmup: float
    fsync: bool
    share: float


@dataclass(frozen=True, slots=True)
class Rig:
    """What a workload works with."""

    options: Options
    app: App
    url: str
    log: Log
    owner: Owner
    client: Client
    brokers: list[int]

    @property
    def pids(self) -> Pids:
        """The processes that take part now."""
        here = {"owner": [self.owner.pid], "client": [os.getpid()]}
        return here | {"broker": self.brokers} if self.brokers else here

    def sized(self, count: int) -> int:
        """A fixed number of sagas, or the share of it that a quick run does."""
        return max(20, round(count * self.options.share))


@asynccontextmanager
async def rig(options: Options, workload: str) -> AsyncIterator[Rig]:
    """Set everything up, wait until the owner works, and clear everything away."""
    folder = Path(".sagalog") / f"bench-{time.strftime('%H%M%S')}-{secrets.token_hex(2)}"
    folder.mkdir(parents=True)
    url = os.environ["SAGALOG_URL"] if options.log == "kafka" else f"sqlite:{folder / 'log.db'}"
    app = orders(f"bench-{workload.lower()}-{secrets.token_hex(3)}")
    log, owner = log_at(url), Owner(app.name, url, folder)
    specs = _specs(app.name, options)
    await log.open()
    client = Client(log, app)
    try:
        await log.create(specs)
        await client.open()
        owner.start()
        made = Rig(options, app, url, log, owner, client, _brokers(url))
        await _first_saga(made)
        yield made
    finally:
        await client.close()
        owner.stop()
        await log.close()
        await _clear(url, specs)
        shutil.rmtree(folder)


def _specs(app: str, options: Options) -> list[TopicSpec]:
    """All topics of the app, and those of the app that is never there (M1)."""
    specs = [
        *Topics(app).specs(PARTITIONS),
        *(s for s in Topics(f"{app}-elsewhere").specs(PARTITIONS) if s.name.endswith(".normal")),
    ]
    if options.log == "kafka" and options.fsync:
        return [replace(s, settings=s.settings | {"flush.messages": "1"}) for s in specs]
    return specs


def _brokers(url: str) -> list[int]:
    address = urlsplit(url)
    return listeners(int(address.netloc.rpartition(":")[2])) if address.scheme == "kafka" else []


async def _first_saga(made: Rig) -> None:
    """Wait for the owner's first answer, as long as it lives."""
    handle = await made.client.start("order", payload("first"))
    answer = asyncio.ensure_future(handle.result())
    until = time.monotonic() + PATIENCE
    while not answer.done():
        await asyncio.wait([answer], timeout=0.1)
        if made.owner.died() or time.monotonic() > until:
            answer.cancel()
            raise SystemExit(f"the owner does not work:\n{made.owner.said()}")
    await answer


async def _clear(url: str, specs: list[TopicSpec]) -> None:
    """A broker that is not ours alone does not keep what we wrote."""
    if not url.startswith("kafka:"):
        return
    admin = AIOKafkaAdminClient(bootstrap_servers=urlsplit(url).netloc)
    await admin.start()
    try:
        await admin.delete_topics([spec.name for spec in specs])
    finally:
        await admin.close()


async def durability(made: Rig) -> dict[str, Any]:
    """The settings that decide what a loss of power takes, as the log has them."""
    if made.options.log == "embedded":
        return {"fsync": True, "sqlite": "WAL, every commit synced"}
    topic = Topics(made.app.name).events
    spec = (await made.log.describe([topic]))[topic]
    every = spec.settings.get("flush.messages") == "1"
    return {"fsync": every, "acks": "all", "brokers": len(made.brokers) or None}
