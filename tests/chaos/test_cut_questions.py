"""What is asked once, when a pod or a client starts, is asked again where the connection ends."""

import pytest

from tests.chaos.conftest import Front, Struck
from tests.contracts.probes import Member
from tests.kafka.logs import events, kafka_log, tables


@pytest.mark.kafka
async def test_a_topic_is_looked_for_again(proxy: Struck, front: Front, app_name: str) -> None:
    async with kafka_log(front.direct) as other, kafka_log(front.proxied) as log:
        topic = await events(other, app_name, 2)
        for _ in range(3):
            proxy.rules.aim("Metadata", "cut")
        assert await log.partitions(topic) == 2
        await proxy.struck("Metadata cut")


@pytest.mark.kafka
async def test_a_table_is_looked_at_again(proxy: Struck, front: Front, app_name: str) -> None:
    async with kafka_log(front.direct) as other, kafka_log(front.proxied) as log:
        topic = await tables(other, app_name)
        for _ in range(3):
            proxy.rules.aim("Metadata", "cut")
        assert await log.table(topic, 0) == {}
        await proxy.struck("Metadata cut")


@pytest.mark.kafka
async def test_a_member_joins_all_the_same(proxy: Struck, front: Front, app_name: str) -> None:
    async with kafka_log(front.proxied) as log:
        topic, member = await events(log, app_name, 2), Member()
        for _ in range(3):
            proxy.rules.aim("Metadata", "cut")
        membership = await log.join(app_name, topic, "pod-0", member.assigned, member.revoked)
        await member.owns(0, 1)
        await membership.leave()
        await proxy.struck("Metadata cut")
