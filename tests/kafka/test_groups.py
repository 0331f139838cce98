"""Groups on a real Kafka: who owns what while members come, go, die and freeze."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from sagalog.streams.kafka import KafkaLog
from sagalog.streams.kafka.membership import KafkaMembership
from tests.contracts.probes import Member
from tests.kafka.broker import Broker
from tests.kafka.logs import events, kafka_log

SESSION = 2.0


class Pod(Member):
    """A member with a log of its own; `giving_up` delays what it gives up."""

    def __init__(self, log: KafkaLog, changed: asyncio.Condition) -> None:
        super().__init__()
        self.log = log
        self.changed = changed
        self.membership: KafkaMembership
        self.giving_up = asyncio.Event()
        self.giving_up.set()

    async def revoked(self, partitions: frozenset[int]) -> None:
        await self.giving_up.wait()
        await super().revoked(partitions)

    async def kill(self) -> None:
        """End without a word, as SIGKILL does."""
        membership, attendance = self.membership, self.membership._attendance
        for task in (membership._task, attendance._task):
            assert task is not None
            task.cancel()
        membership._task = None
        await self.log._cluster.disconnect(attendance._lane)
        self.owned = frozenset()


class Group:
    """Pods that share the partitions of one topic."""

    def __init__(self, bootstrap: str, app: str, stack: AsyncExitStack) -> None:
        self.bootstrap = bootstrap
        self.app = app
        self.stack = stack
        self.topic = ""
        self.changed = asyncio.Condition()

    async def becomes(self, state: Callable[[], bool], within: float = 5.0) -> None:
        """Wait until something is true of the pods."""
        async with asyncio.timeout(within), self.changed:
            await self.changed.wait_for(state)

    async def pod(self, name: str, *, session: float = SESSION) -> Pod:
        """A pod that has joined; an empty name joins without one."""
        settings = {"session_timeout": session, "heartbeat_interval": 0.1}
        log = await self.stack.enter_async_context(kafka_log(self.bootstrap, **settings))
        self.topic = self.topic or await events(log, self.app, 4)
        pod = Pod(log, self.changed)
        pod.membership = await log.join(self.app, self.topic, name, pod.assigned, pod.revoked)
        self.stack.push_async_callback(pod.membership.leave)
        return pod


@pytest.fixture
async def group(kafka: str, app_name: str) -> AsyncIterator[Group]:
    async with AsyncExitStack() as stack:
        yield Group(kafka, app_name, stack)


async def test_members_share(group: Group) -> None:
    first = await group.pod("pod-0")
    await first.owns(0, 1, 2, 3)
    second = await group.pod("pod-1")
    await first.owns(0, 1)
    await second.owns(2, 3)
    third = await group.pod("pod-2")
    pods = (first, second, third)
    await group.becomes(lambda: sorted(len(pod.owned) for pod in pods) == [1, 1, 2])
    assert frozenset.union(*(pod.owned for pod in pods)) == {0, 1, 2, 3}


async def test_only_what_moves_is_given_up(group: Group) -> None:
    first = await group.pod("pod-0")
    await first.owns(0, 1, 2, 3)
    second = await group.pod("pod-1")
    await second.owns(2, 3)
    await second.membership.leave()
    await first.owns(0, 1, 2, 3)
    assert sorted(first.revoked_total) == [2, 3]


async def test_a_partition_moves_only_when_it_was_given_up(group: Group) -> None:
    first = await group.pod("pod-0")
    await first.owns(0, 1, 2, 3)
    first.giving_up.clear()
    second = await group.pod("pod-1")
    await asyncio.sleep(2 * SESSION)  # however long that takes: heartbeats go on
    assert first.owned == {0, 1, 2, 3}
    assert not second.owned
    first.giving_up.set()
    await first.owns(0, 1)
    await second.owns(2, 3)


@pytest.mark.parametrize("name", ["pod-0", ""])
async def test_who_leaves_is_replaced_at_once(group: Group, name: str) -> None:
    """Under a stable name too, for which clients by default do not say that they leave."""
    first, second = await group.pod(name, session=6.0), await group.pod("pod-1", session=6.0)
    await second.owns(2, 3)
    began = time.monotonic()
    await first.membership.leave()
    await second.owns(0, 1, 2, 3)
    assert time.monotonic() - began < 1.5
    assert first.owned == frozenset()


async def test_who_was_killed_and_comes_back_owns_the_same_at_once(group: Group) -> None:
    first, second = await group.pod("pod-0", session=6.0), await group.pod("pod-1", session=6.0)
    await second.owns(2, 3)
    await first.kill()
    began = time.monotonic()
    again = await group.pod("pod-0", session=6.0)
    await again.owns(0, 1)
    assert time.monotonic() - began < 1.0
    assert second.owned == {2, 3}
    assert not second.revoked_total


async def test_who_was_killed_and_stays_away_is_replaced(group: Group) -> None:
    first, second = await group.pod("pod-0"), await group.pod("pod-1")
    await second.owns(2, 3)
    await first.kill()
    await second.owns(0, 1, 2, 3, within=SESSION + 3)


async def test_who_joins_has_its_share_before_the_session_of_who_died_is_over(
    group: Group,
) -> None:
    first, second = await group.pod("pod-0", session=9.0), await group.pod("pod-1", session=9.0)
    await second.owns(2, 3)
    await first.kill()
    began = time.monotonic()
    third = await group.pod("pod-2", session=9.0)
    await group.becomes(lambda: len(second.owned) == len(third.owned) == 2, within=20)
    assert time.monotonic() - began < 9.0


async def test_who_died_is_replaced_although_others_come_and_go_all_the_time(
    group: Group,
) -> None:
    """Each of them makes the group form anew, and brokers then give the dead more time."""
    first, second = await group.pod("pod-0", session=3.0), await group.pod("pod-1", session=3.0)
    await second.owns(2, 3)
    await first.kill()
    for number in range(4):
        guest = await group.pod(f"guest-{number}", session=3.0)
        await guest.membership.leave()
    await second.owns(0, 1, 2, 3, within=2.0)


async def test_who_dies_giving_up_does_not_keep_it(group: Group) -> None:
    """The group is still waiting for its word when it is back, and has given it half."""
    first = await group.pod("pod-0")
    await first.owns(0, 1, 2, 3)
    first.giving_up.clear()
    second = await group.pod("pod-1")
    await first.kill()
    again = await group.pod("pod-0")
    await again.owns(0, 1)
    await second.owns(2, 3, within=SESSION + 3)


async def test_who_was_expelled_gives_up_and_joins_again(group: Group) -> None:
    first, second = await group.pod(""), await group.pod("pod-1")
    await first.owns(0, 1)
    await second.owns(2, 3)
    attendance = first.membership._attendance
    attendance._member = attendance._member._replace(id="forgotten")
    first.revoked_total.clear()
    await group.becomes(lambda: sorted(first.revoked_total) == [0, 1])
    await group.becomes(lambda: len(first.owned) == len(second.owned) == 2, 2 * SESSION + 3)
    assert first.owned | second.owned == {0, 1, 2, 3}


async def test_of_two_namesakes_the_older_gives_up(group: Group) -> None:
    older = await group.pod("pod-0")
    await older.owns(0, 1, 2, 3)
    newer = await group.pod("pod-0")
    await newer.owns(0, 1, 2, 3)
    await older.owns()
    await asyncio.sleep(1.0)
    assert newer.owned == {0, 1, 2, 3}


async def test_an_owner_that_fails_stays_a_member(group: Group) -> None:
    pod = await group.pod("pod-0")
    await pod.owns(0, 1, 2, 3)

    async def fail(_: frozenset[int]) -> None:
        raise RuntimeError("a bug")

    pod.membership._revoked = fail
    second = await group.pod("pod-1")
    await second.owns(2, 3)


@pytest.mark.slow
async def test_members_outlive_their_broker(own_broker: Broker, app_name: str) -> None:
    async with AsyncExitStack() as stack:
        group = Group(own_broker.bootstrap, app_name, stack)
        first = await group.pod("pod-0", session=6.0)
        second = await group.pod("pod-1", session=6.0)
        await second.owns(2, 3)
        first.revoked_total.clear()
        await asyncio.to_thread(own_broker.kill)
        await asyncio.to_thread(own_broker.start)
        await second.membership.leave()
        await first.owns(0, 1, 2, 3, within=20)
        assert first.revoked_total == []
