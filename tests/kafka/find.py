"""Finds a Kafka: the one that is named, else one in Docker, else one in Java. Never none."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from tests.kafka import docker, jars
from tests.kafka.broker import Broker, JavaBroker, answers, free_port

NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


@contextmanager
def any_broker() -> Iterator[str]:
    """Give the address of a broker: KAFKA_BOOTSTRAP_SERVERS if it is set, else a new one's."""
    if named := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        if not answers(named):
            raise jars.NoBrokerError(f"KAFKA_BOOTSTRAP_SERVERS={named}: nothing answers there.")
        yield named
    else:
        with new_broker() as broker:
            yield broker.bootstrap


@contextmanager
def new_broker(
    settings: Mapping[str, str] = NO_SETTINGS,
    port: int | None = None,
    through: int | None = None,
) -> Iterator[Broker]:
    """Give a started broker to kill and to start again; `settings` add to the shared ones.

    `through` is the port of a proxy before it, which is to pass on to where the broker is `behind`.
    """
    kind = docker.DockerBroker if docker.daemon_answers() else JavaBroker
    broker = kind(settings, port or free_port(), through)
    try:
        broker.start()
        yield broker
    finally:
        broker.close()


def prepare() -> None:
    """Fetch what a first run fetches, so that no test's time is spent on it."""
    if not os.environ.get("KAFKA_BOOTSTRAP_SERVERS") and not docker.daemon_answers():
        jars.java()
        jars.jars()
