"""Where places begin and end, what groups have committed, and cutting places short."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

from sagalog.streams.errors import OffsetLost
from sagalog.streams.kafka.cluster import Cluster
from sagalog.streams.kafka.codes import PASSING, Code, check
from sagalog.streams.kafka.coordinator import Coordinator, Keeper
from sagalog.streams.kafka.fetch import READ_UNCOMMITTED
from sagalog.streams.kafka.library import DeleteRecords, ListOffsets, OffsetCommit, OffsetFetch
from sagalog.streams.kafka.retry import persist
from sagalog.streams.kafka.wire import by_topic
from sagalog.streams.log import Place

LATEST, EARLIEST = -1, -2

_CONSUMER = -1
_NO_GENERATION = -1
_NO_MEMBER = ""
_BROKERS_RETENTION = -1


class Offsets:
    """Asks for many places at once, with one request to each broker."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._timeout = cluster.settings.open_timeout
        self._groups: dict[str, Coordinator] = {}

    async def find(
        self, places: Collection[Place], which: int, isolation: int = READ_UNCOMMITTED
    ) -> dict[Place, int]:
        """The first or the next offset of each place."""

        async def ask(leader: int, group: list[Place]) -> dict[Place, int]:
            topics = [(name, [(p, which) for p in ps]) for name, ps in by_topic(group).items()]
            answer = await self._cluster.send(leader, ListOffsets(_CONSUMER, isolation, topics))
            found: dict[Place, int] = {}
            for topic, partitions in answer.topics:
                for partition, code, _, offset in partitions:
                    self._check(code, (topic, partition), "asking for offsets")
                    found[topic, partition] = offset
            return found

        return await self._of_leaders(places, ask, "asking for offsets")

    async def trim(self, offsets: Mapping[Place, int]) -> None:
        """Delete what lies below the offset of each place."""

        async def ask(leader: int, group: list[Place]) -> dict[Place, int]:
            topics = [
                (name, [(p, offsets[name, p]) for p in ps]) for name, ps in by_topic(group).items()
            ]
            request = DeleteRecords(topics, int(self._cluster.settings.request_timeout * 1000))
            answer = await self._cluster.send(leader, request)
            for topic, partitions, *_ in answer.topics:
                for partition, _low, code, *_tags in partitions:
                    self._check(code, (topic, partition), "deleting records")
            return {}

        await self._of_leaders(offsets, ask, "deleting records")

    async def committed(self, group: str, places: Collection[Place]) -> dict[Place, int]:
        """What the group has committed; places without are absent."""
        coordinator = self._coordinator(group)

        async def ask() -> dict[Place, int]:
            answer = await coordinator.ask(OffsetFetch(group, list(by_topic(places).items())))
            coordinator.check(answer.error_code, "reading the offsets of")
            found: dict[Place, int] = {}
            for topic, partitions in answer.topics:
                for partition, offset, _, code in partitions:
                    coordinator.check(code, "reading the offsets of")
                    if offset >= 0:
                        found[topic, partition] = offset
            return found

        return await persist(ask, timeout=self._timeout, doing=f"reading the offsets of {group}")

    async def commit(self, group: str, offsets: Mapping[Place, int]) -> None:
        """Commit as nobody's member, which brokers allow while the group has none."""
        coordinator = self._coordinator(group)
        topics = [
            (name, [(p, offsets[name, p], "") for p in ps])
            for name, ps in by_topic(offsets).items()
        ]
        request = OffsetCommit(group, _NO_GENERATION, _NO_MEMBER, _BROKERS_RETENTION, topics)

        async def ask() -> None:
            answer = await coordinator.ask(request)
            for _, partitions in answer.topics:
                for _, code in partitions:
                    coordinator.check(code, "committing for")

        await persist(ask, timeout=self._timeout, doing=f"committing for {group}")

    async def _of_leaders(
        self,
        places: Collection[Place],
        ask: Callable[[int, list[Place]], Awaitable[dict[Place, int]]],
        doing: str,
    ) -> dict[Place, int]:
        """Ask each place's leader; all are asked again if one was the wrong one."""

        async def attempt() -> dict[Place, int]:
            groups: dict[int, list[Place]] = {}
            for place in places:
                groups.setdefault(await self._cluster.locate(place), []).append(place)
            answers = await asyncio.gather(*(ask(*group) for group in groups.items()))
            return {place: offset for answer in answers for place, offset in answer.items()}

        return await persist(attempt, timeout=self._timeout, doing=doing)

    def _check(self, code: int, place: Place, doing: str) -> None:
        name = f"{place[0]}/{place[1]}"
        if code in PASSING:
            self._cluster.forget(place)
        elif code == Code.OFFSET_OUT_OF_RANGE:
            raise OffsetLost(f"{name} does not reach that far")
        check(code, f"{doing} of {name}")

    def _coordinator(self, group: str) -> Coordinator:
        if group not in self._groups:
            self._groups[group] = Coordinator(self._cluster, Keeper.GROUP, group)
        return self._groups[group]
