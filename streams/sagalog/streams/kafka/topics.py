"""Topics: making those that are missing, and telling how they are."""

from collections.abc import Collection, Sequence

from sagalog.schemas.topics import TopicSpec
from sagalog.streams.errors import LogUnavailable, TopicMissing
from sagalog.streams.kafka.cluster import Cluster
from sagalog.streams.kafka.codes import Code, check
from sagalog.streams.kafka.library import CreateTopics, DescribeConfigs
from sagalog.streams.kafka.retry import persist

_TOPIC = 2
_COPIES = 3
_IN_SYNC = {"min.insync.replicas": "2"}


async def create(cluster: Cluster, specs: Sequence[TopicSpec]) -> list[str]:
    """Create the topics that are missing, and wait until all their partitions have leaders."""
    created: list[str] = []
    await persist(
        lambda: _create(cluster, specs, created),
        timeout=cluster.settings.open_timeout,
        doing="creating topics",
    )
    return created


async def describe(cluster: Cluster, names: Collection[str]) -> dict[str, TopicSpec]:
    """The topics as they are, with all their settings."""
    return await persist(
        lambda: _describe(cluster, names),
        timeout=cluster.settings.open_timeout,
        doing="describing topics",
    )


async def _create(cluster: Cluster, specs: Sequence[TopicSpec], created: list[str]) -> None:
    await cluster.refresh()
    timeout = int(cluster.settings.request_timeout * 1000)
    layouts = [_layout(spec, cluster.brokers) for spec in specs]
    request = CreateTopics(layouts, timeout, validate_only=False)
    answer = await cluster.send(cluster.controller, request)
    for name, code, why in answer.topic_errors:
        if code == Code.NONE:
            created.append(name)
        elif code != Code.TOPIC_ALREADY_EXISTS:
            check(code, f"creating {name} ({why})")
    for spec in specs:
        for partition in await _known(cluster, spec.name):
            await cluster.locate((spec.name, partition))


async def _known(cluster: Cluster, topic: str) -> frozenset[int]:
    """The partitions of a topic that is there, and that brokers may learn of late."""
    try:
        return await cluster.topic(topic)
    except TopicMissing as error:
        raise LogUnavailable(f"{topic} was created and is not known yet") from error


def _layout(
    spec: TopicSpec, brokers: int
) -> tuple[str, int, int, list[None], list[tuple[str, str]]]:
    copied = brokers >= _COPIES
    settings = (_IN_SYNC if copied else {}) | spec.settings
    return (spec.name, spec.partitions, _COPIES if copied else 1, [], list(settings.items()))


async def _describe(cluster: Cluster, names: Collection[str]) -> dict[str, TopicSpec]:
    partitions = await cluster.topics(names)
    answer = await cluster.send_any(DescribeConfigs([(_TOPIC, name, None) for name in partitions]))
    described: dict[str, TopicSpec] = {}
    for code, why, _, name, entries in answer.resources:
        check(code, f"describing {name} ({why})")
        settings = {key: value for key, value, *_ in entries if value is not None}
        described[name] = TopicSpec(name, len(partitions[name]), settings)
    return described
