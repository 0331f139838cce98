"""What creating and describing topics promise."""

import pytest

from sagalog.schemas.topics import TopicSpec
from sagalog.streams.errors import TopicMissing
from sagalog.streams.log import Log
from tests.contracts.probes import STAMPED, fresh


class TopicsContract:
    async def test_partitions_of_a_topic(self, log: Log, topic: str) -> None:
        assert await log.partitions(topic) == 2
        with pytest.raises(TopicMissing, match="sagalog topics create"):
            await log.partitions(fresh())

    async def test_create_makes_what_is_missing(self, log: Log) -> None:
        first, second = TopicSpec(fresh(), 1, STAMPED), TopicSpec(fresh(), 3, STAMPED)
        assert await log.create([first]) == [first.name]
        assert await log.create([first, second]) == [second.name]
        assert await log.create([first, second]) == []
        assert await log.partitions(second.name) == 3

    async def test_describe_tells_topics_as_they_are(self, log: Log) -> None:
        settings = {"cleanup.policy": "compact", "retention.ms": "3600000"}
        spec = TopicSpec(fresh(), 3, settings)
        await log.create([spec])
        described = await log.describe([spec.name, fresh()])
        assert described.keys() == {spec.name}
        assert described[spec.name].partitions == 3
        assert settings.items() <= described[spec.name].settings.items()
