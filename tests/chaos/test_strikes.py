"""Whatever request of a log on a real Kafka is struck, and however, what it does is right."""

import asyncio
import traceback
from contextlib import AsyncExitStack

import pytest

from sagalog.schemas.topics import TopicSpec
from sagalog.streams.kafka import KafkaLog
from tests.chaos.conftest import Front, Struck
from tests.chaos.frames import Api
from tests.chaos.rules import HOWS, How
from tests.contracts.probes import Member, read, reading, values
from tests.kafka.logs import STAMPED, entry, kafka_log
from tests.recovery.world import eventually

PATIENCE = 20.0
QUICK = {"request_timeout": 0.5, "session_timeout": 2.0, "heartbeat_interval": 0.1}
ROWS = [entry("row")]


class Visit:
    """Uses every part of a log once, and knows what must come of it."""

    def __init__(self, log: KafkaLog, app: str) -> None:
        self.log, self.app = log, app
        self.events, self.tables = f"{app}.events", f"{app}.tables"

    async def create(self) -> None:
        specs = [
            TopicSpec(self.events, 2, dict(STAMPED)),
            TopicSpec(self.tables, 2, {"cleanup.policy": "compact"}),
        ]
        await self.log.create(specs)
        described = await self.log.describe([self.events])
        assert described[self.events].partitions == await self.log.partitions(self.events) == 2

    async def append_and_read(self) -> None:
        async with reading(self.log, ((self.events, 0), 0)) as reader:
            for number in range(5):
                offset = await self.log.append(self.events, 0, [entry(str(number))])
                assert offset == number
            assert values(await read(reader, 5)) == [str(number) for number in range(5)]
        assert (await self.log.ends([(self.events, 0)])) == {(self.events, 0): 5}

    async def checkpoint(self) -> None:
        table = await self.log.checkpoints(self.tables, 0)
        for number in range(3):
            await table.write([entry(str(number)), entry(f"row {number}")])
        assert list((await table.restore()).values()) == [b"row 2"]
        await table.close()

    async def commit(self) -> None:
        place = (self.events, 0)
        await self.log.commit(f"{self.app}.lanes", {place: 3})
        assert await self.log.committed(f"{self.app}.lanes", [place]) == {place: 3}
        await self.log.trim({place: 2})
        assert await self.log.starts([place]) == {place: 2}

    async def belong(self, stack: AsyncExitStack) -> None:
        members = [Member(), Member()]
        for number, member in enumerate(members):
            membership = await self.log.join(
                self.app, self.events, f"pod-{number}", member.assigned, member.revoked
            )
            stack.push_async_callback(membership.leave)

        async def shared() -> bool:
            return [len(member.owned) for member in members] == [1, 1]

        await eventually(shared, patience=PATIENCE)


async def visit(proxy: Struck, front: Front, app: str, api: str, how: How) -> None:
    for _ in range(3):
        proxy.rules.aim(api, how, app)
    async with kafka_log(front.proxied, client_id=app, **QUICK) as log, AsyncExitStack() as stack:
        visit = Visit(log, app)
        await visit.create()
        await visit.append_and_read()
        await visit.checkpoint()
        await visit.commit()
        await visit.belong(stack)
    await proxy.struck(f"{api} {how}")


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.parametrize("how", HOWS)
async def test_what_a_log_does_is_right(
    proxy: Struck, front: Front, app_name: str, how: How
) -> None:
    """Each visit is struck at another request; they are made at the same time."""
    limit = asyncio.Semaphore(6)

    async def one(api: str) -> str | None:
        async with limit:
            try:
                await visit(proxy, front, f"{app_name}-{api}", api, how)
            except Exception:  # noqa: BLE001 (whatever it is, it is told with what was struck)
                return f"{api} {how}:\n{traceback.format_exc()}"
        return None

    apis = [api.name for api in Api if api is not Api.ApiVersions]
    failures = [said for said in await asyncio.gather(*map(one, apis)) if said]
    assert not failures, "\n\n".join(failures)
