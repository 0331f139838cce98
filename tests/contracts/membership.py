"""What a membership promises."""

import pytest

from sagalog.streams.errors import TopicMissing
from sagalog.streams.log import Log
from tests.contracts.probes import Member, fresh


class MembershipContract:
    async def test_the_only_member_owns_all(self, log: Log, topic: str) -> None:
        member = Member()
        membership = await log.join(fresh("group"), topic, "pod-0", member.assigned, member.revoked)
        await member.owns(0, 1)
        await membership.leave()

    async def test_leaving_gives_up_what_is_held(self, log: Log, topic: str) -> None:
        member = Member()
        membership = await log.join(fresh("group"), topic, "pod-0", member.assigned, member.revoked)
        await member.owns(0, 1)
        await membership.leave()
        assert sorted(member.revoked_total) == [0, 1]

    async def test_after_a_leave_another_joins_at_once(self, log: Log, topic: str) -> None:
        group, first, second = fresh("group"), Member(), Member()
        membership = await log.join(group, topic, "pod-0", first.assigned, first.revoked)
        await first.owns(0, 1)
        await membership.leave()
        membership = await log.join(group, topic, "pod-1", second.assigned, second.revoked)
        await second.owns(0, 1, within=3.0)
        await membership.leave()

    async def test_join_without_its_topic(self, log: Log) -> None:
        member = Member()
        with pytest.raises(TopicMissing, match="sagalog topics create"):
            await log.join(fresh("group"), fresh(), "pod-0", member.assigned, member.revoked)
