"""The brokers: where they are, who leads which place, and how to ask them."""

import asyncio
import random
import time
from collections.abc import Collection
from math import inf
from typing import Any

from sagalog.streams.errors import LogUnavailable, TopicMissing
from sagalog.streams.kafka.codes import Code
from sagalog.streams.kafka.connections import Address, Connections
from sagalog.streams.kafka.library import Metadata
from sagalog.streams.kafka.retry import Refused, persist
from sagalog.streams.kafka.settings import KafkaSettings
from sagalog.streams.log import Place

CONTROL = "control"
"""The lane of what is neither appended nor read."""

DEFAULT_PORT = 9092
_NOBODY = -1
_ANY_ANSWER = 3.0  # seconds before another broker is asked
_SPREAD = (0.0, 0.1, 0.1, 0.1)  # seconds; a new topic is not known to all brokers at once


class Cluster:
    """What is known of the cluster. It is not polled: errors show what is outdated."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.settings = settings
        self.controller = _NOBODY
        self.version = 0
        """Counts what was learnt."""
        self._connections = Connections(settings)
        self._bootstrap = [address_of(server) for server in settings.bootstrap_servers]
        self._brokers: dict[int, Address] = {}
        self._leaders: dict[str, dict[int, int]] = {}
        self._topics: set[str] = set()
        self._refreshing = asyncio.Lock()
        self._refreshed = 0.0
        self._vanished: dict[str, float] = {}

    async def open(self) -> None:
        """Find a broker that answers, or say which were asked."""
        timeout, servers = self.settings.open_timeout, ", ".join(self.settings.bootstrap_servers)
        try:
            await persist(self.refresh, timeout=timeout, doing=f"connecting to {servers}")
        except Refused as error:
            raise LogUnavailable(f"Kafka at {servers} refuses this client: {error}") from error
        except LogUnavailable as error:
            raise LogUnavailable(
                f"no broker answers at {servers}: {error}. Is it running, and the address right?"
            ) from error

    async def close(self) -> None:
        """Close all connections."""
        await self._connections.close()

    async def disconnect(self, lane: str) -> None:
        """Close a lane's connections."""
        await self._connections.drop(lane)

    @property
    def brokers(self) -> int:
        """How many brokers there are."""
        return len(self._brokers)

    def leader(self, place: Place) -> int | None:
        """The broker to ask about a place, if it is known."""
        leaders = self._leaders.get(place[0])
        leader = _NOBODY if leaders is None else leaders.get(place[1], _NOBODY)
        return None if leader == _NOBODY else leader

    def forget(self, place: Place) -> None:
        """Take it that `place` is led by another broker now."""
        if self.leader(place) is not None:
            self._leaders[place[0]][place[1]] = _NOBODY

    async def send(self, broker: int, request: object, lane: str = CONTROL) -> Any:
        """Ask one broker. After LogUnavailable the request may have been carried out or not."""
        address = self._brokers.get(broker)
        if address is None:
            await self.refresh()
            raise LogUnavailable(f"broker {broker} is not known")
        return await self._connections.send(address, lane, request)

    async def send_any(self, request: object) -> Any:
        """Ask whichever broker answers."""
        known = list(self._brokers.values())
        random.shuffle(known)
        failure = LogUnavailable("no broker is known")
        for address in (*known, *self._bootstrap):
            try:
                async with asyncio.timeout(_ANY_ANSWER):
                    return await self._connections.send(address, CONTROL, request)
            except Refused:
                raise
            except TimeoutError:
                await self._connections.discard(address, CONTROL)
                failure = LogUnavailable(f"{address[0]}:{address[1]} is silent")
            except LogUnavailable as error:
                failure = error
        raise failure

    async def locate(self, place: Place) -> int:
        """The leader of a place. Raises TopicMissing, or LogUnavailable while none is elected."""
        leader = self.leader(place)
        if leader is None:
            partitions = await self.topic(place[0])
            if place[1] not in partitions:
                raise TopicMissing(
                    f"topic {place[0]} has no partition {place[1]}; run `sagalog topics check`"
                )
            leader = self.leader(place)
        if leader is None:
            raise LogUnavailable(f"{place[0]}/{place[1]} has no leader now")
        return leader

    async def topic(self, name: str) -> frozenset[int]:
        """The partitions of a topic. Raises TopicMissing if no broker knows it."""
        for pause in _SPREAD:
            await asyncio.sleep(pause)
            await self.refresh(name)
            if name in self._leaders:
                return frozenset(self._leaders[name])
        if time.monotonic() - self._vanished.get(name, -inf) < self.settings.open_timeout:
            raise LogUnavailable(f"topic {name} was there and is not now")
        raise TopicMissing(f"topic {name} is not there; run `sagalog topics create`")

    async def topics(self, names: Collection[str]) -> dict[str, frozenset[int]]:
        """The partitions of those topics that are there now."""
        await self.refresh(*names)
        return {name: frozenset(self._leaders[name]) for name in names if name in self._leaders}

    async def refresh(self, *topics: str) -> None:
        """Learn anew who leads what; those who ask together share one question."""
        self._topics.update(topics)
        asked = time.monotonic()
        async with self._refreshing:
            if self._refreshed > asked:
                return
            began = time.monotonic()
            names = sorted(self._topics)
            self._learn(await self.send_any(Metadata(names, allow_auto_topic_creation=False)))
            self._refreshed = began

    def _learn(self, metadata: Any) -> None:
        if not metadata.brokers:
            raise LogUnavailable("the broker is starting and knows no others yet")
        self.version += 1
        self.controller = metadata.controller_id
        self._brokers = {node: (host, port) for node, host, port, _ in metadata.brokers}
        for code, topic, _, partitions in metadata.topics:
            if code == Code.NONE:
                self._leaders[topic] = {part[1]: part[2] for part in partitions}
                self._vanished.pop(topic, None)
            elif code == Code.UNKNOWN_TOPIC_OR_PARTITION and self._leaders.pop(topic, None):
                # A broker that has just started may not know its topics yet.
                self._vanished[topic] = time.monotonic()


def address_of(server: str) -> Address:
    """`host:port` taken apart; the port may be left out."""
    host, colon, port = server.rpartition(":")
    return (host.strip("[]"), int(port)) if colon else (server, DEFAULT_PORT)
