"""Members whose words to their group are lost, or come late."""

import time

import pytest

from tests.chaos.conftest import Front, Struck
from tests.contracts.probes import Member
from tests.kafka.logs import events, kafka_log
from tests.recovery.world import eventually


@pytest.mark.kafka
async def test_a_member_that_its_own_late_request_has_fenced_joins_again(
    proxy: Struck, front: Front, app_name: str
) -> None:
    async with kafka_log(front.proxied) as log, kafka_log(front.direct) as other:
        topic = await events(other, app_name, 2)
        fenced, peer = Member(), Member()
        staying = await other.join(app_name, topic, "pod-1", peer.assigned, peer.revoked)
        proxy.rules.aim("JoinGroup", "late")
        joining = await log.join(app_name, topic, "pod-0", fenced.assigned, fenced.revoked)
        await proxy.struck("JoinGroup late")

        async def shared() -> bool:
            return len(fenced.owned) == len(peer.owned) == 1

        await eventually(shared, patience=30)
        await staying.leave()
        await joining.leave()


@pytest.mark.kafka
async def test_who_leaves_is_replaced_at_once_although_its_word_was_cut(
    proxy: Struck, front: Front, app_name: str
) -> None:
    settings = {"session_timeout": 20.0, "heartbeat_interval": 0.1}
    async with (
        kafka_log(front.proxied, **settings) as log,
        kafka_log(front.direct, **settings) as other,
    ):
        topic = await events(log, app_name, 2)
        leaver, heir = Member(), Member()
        leaving = await log.join(app_name, topic, "pod-0", leaver.assigned, leaver.revoked)
        staying = await other.join(app_name, topic, "pod-1", heir.assigned, heir.revoked)
        await heir.owns(1)
        proxy.rules.aim("LeaveGroup", "cut")
        began = time.monotonic()
        await leaving.leave()
        await heir.owns(0, 1)
        await proxy.struck("LeaveGroup cut")
        assert time.monotonic() - began < 3.0
        await staying.leave()
