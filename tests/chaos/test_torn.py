"""Rule 2 where the network keeps a request for later: a checkpoint is whole or is not there."""

import asyncio

import pytest

from sagalog.streams.errors import Fenced
from tests.chaos.conftest import Front, Struck
from tests.kafka.logs import entry, kafka_log, tables
from tests.kafka.test_fencing import ROWS, stop_before_commit


@pytest.mark.kafka
async def test_rule_2_a_late_commit_does_not_commit_the_next_checkpoint(
    proxy: Struck, front: Front, app_name: str
) -> None:
    """Kafka cannot tell a producer's late commit from its next one (Jepsen on Kafka, 2024)."""
    async with kafka_log(front.proxied) as log:
        topic = await tables(log, app_name)
        table = await log.checkpoints(topic, 0)
        proxy.rules.aim("EndTxn", "late")
        await table.write([entry("whole")])
        await stop_before_commit(table)
        await proxy.struck("EndTxn late")
        await asyncio.sleep(0.1)  # the broker answers nobody that it has carried it out
        assert await (await log.checkpoints(topic, 0)).restore() == {b"key": b"whole"}


@pytest.mark.kafka
async def test_an_owner_in_doubt_is_fenced_by_the_next_one_all_the_same(
    proxy: Struck, front: Front, app_name: str
) -> None:
    async with kafka_log(front.proxied) as log, kafka_log(front.direct) as other:
        topic = await tables(log, app_name)
        table = await log.checkpoints(topic, 0)
        before = table._identity
        proxy.rules.aim("EndTxn", "lost")
        await table.write([entry("whole")])
        assert table._identity != before, "void: it was never in doubt"
        await (await other.checkpoints(topic, 0)).write([entry("newer")])
        proxy.rules.aim("AddPartitionsToTxn", "lost")
        with pytest.raises(Fenced):
            await table.write(ROWS)
        assert await (await other.checkpoints(topic, 0)).restore() == {b"key": b"newer"}
