"""Where stories are played for the tape: real pods and clients, a made-up clock, made-up chance."""

import asyncio
from collections.abc import Callable, Mapping
from hashlib import blake2b
from itertools import count
from typing import Any

import orjson

from sagalog.engine import App
from sagalog.engine.instance import Instance
from sagalog.schemas import Entry, Topics, codec
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.partitioner import partition_of
from sagalog.streams.client import Client
from sagalog.streams.embedded.memory_store import MemoryStore
from sagalog.streams.pod import Pod
from sagalog.streams.testing.loop import Process, VirtualLoop
from tests.histories.shop import APPS, Script
from tests.histories.tape import Tape, TapedLog

START = 1_767_225_600_000
"""The clock at the beginning of every story: the first of January 2026."""


class Worker:
    """A pod, and the process that it runs in."""

    def __init__(self, stage: "Stage", app: App, member: str) -> None:
        self.process: Process = stage.loop.process(f"{app.name}-{member}")
        self._app = app.name
        self._stage = stage
        self.log = stage.log()
        self.pod: Pod = self.process.run(self._made, app, member)

    def _made(self, app: App, member: str) -> Pod:
        stage = self._stage
        return Pod(app, self.log, member=member, clock=stage.clock, token=stage.token)

    async def start(self) -> None:
        """Take all partitions, and act."""
        self._stage.store.owners.pop(self._app, None)  # whoever has them is dead or frozen
        await self.process.task(self.pod.start())
        await self._stage.until(self._acts)

    def _acts(self) -> bool:
        owners = self.pod.owners.values()
        return bool(owners) and all(owner.processor.phase == "acting" for owner in owners)

    async def stop(self) -> None:
        """Give all partitions up in order."""
        if self.process.alive:
            await self.process.task(self.pod.stop())
            self.process.kill()


class Stage:
    """One story's world. `apps` says how many partitions each app has."""

    log_type: type[TapedLog] = TapedLog

    def __init__(self, loop: VirtualLoop, apps: Mapping[str, int]) -> None:
        self.loop, self.partitions = loop, apps
        self.tape = Tape()
        self.script = Script(self.tape)
        self.store = MemoryStore()
        self.apps = {name: APPS[name](self.script) for name in apps}
        self.workers: list[Worker] = []
        self.clients: list[Client] = []
        self._tokens = count(1)
        for name, partitions in apps.items():
            for spec in Topics(name).specs(partitions):
                self.store.create(spec)

    def clock(self) -> int:
        """Milliseconds since the epoch."""
        return START + round(self.loop.time() * 1000)

    def token(self, size: int) -> str:
        """So many bytes that look random."""
        return blake2b(b"%d" % next(self._tokens), digest_size=size).hexdigest()

    def log(self) -> TapedLog:
        """The log, as one more process opens it."""
        return self.log_type(self.store, self.tape, self.clock)

    async def worker(self, app: str = "orders", member: str = "a") -> Worker:
        """One more pod of an app, which takes its partitions from whoever has them."""
        made = Worker(self, self.apps[app], member)
        self.workers.append(made)
        await made.start()
        return made

    async def client(self, app: str = "orders", *, tenant: str = "") -> Client:
        """One more client of an app."""
        made = Client(self.log(), self.apps[app], tenant=tenant, clock=self.clock, token=self.token)
        self.clients.append(made)
        await made.open()
        return made

    async def close(self) -> None:
        """Everybody leaves in order."""
        for worker in self.workers:
            await worker.stop()
        for client in self.clients:
            await client.close()

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something holds; in the loop's time, which costs nothing."""
        async with asyncio.timeout(3600):
            while not holds():  # noqa: ASYNC110 (nothing is busy in a loop with made-up time)
                await asyncio.sleep(0.01)

    async def running(self, operation: str) -> None:
        """Wait until a slow call of this operation is under way."""
        await self.until(lambda: operation in self.script.running)
        self.script.running.remove(operation)

    # -- what others write, and what stands there

    async def write(
        self, topic: str, key: str, value: Any, *, at: int | None = None, **headers: str
    ) -> None:
        """Somebody else, in whatever language, appends a record."""
        app = topic.partition(".")[0]
        number = partition_of(key.encode(), self.partitions[app]) if at is None else at
        data = value if isinstance(value, bytes) else orjson.dumps(value)
        said = tuple((name, text.encode()) for name, text in headers.items())
        await self.log().append(topic, number, [Entry(key.encode(), data, said)])

    async def ask(self, type_: str, subject: str, data: Any, *, lane: str = "normal") -> None:
        """Somebody else asks, saying no more than must be said."""
        value = {"type": f"sagalog.{type_}.v1", "subject": subject, "data": data}
        await self.write(f"orders.{lane}", subject, value)

    def facts(self, instance: str, app: str = "orders") -> list[Any]:
        """The facts of an instance that can be read."""
        number = partition_of(instance.encode(), self.partitions[app])
        records = self.store.place((f"{app}.events", number)).records
        messages = (codec.decode(r.value) for r in records if r.key == instance.encode())
        return [message.data for message in messages if isinstance(message, Envelope)]

    async def seen(self, instance: str, kind: str, app: str = "orders", times: int = 1) -> None:
        """Wait until an instance has so many facts of a kind."""
        await self.until(
            lambda: [type(f).__name__ for f in self.facts(instance, app)].count(kind) >= times
        )

    def state(self, instance: str, app: str = "orders") -> Instance | None:
        """What the newest worker of an app holds of an instance."""
        number = partition_of(instance.encode(), self.partitions[app])
        worker = [w for w in self.workers if w.pod.app.name == app][-1]
        return worker.pod.owners[number].processor.table.get(instance)
