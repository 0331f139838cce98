"""The sentences for places that are not there."""

from sagalog.schemas.topics import TopicSpec
from sagalog.streams.errors import OffsetLost, TopicMissing
from sagalog.streams.log import Place


def missing_topic(topic: str) -> TopicMissing:
    """The error for a topic that nobody created."""
    return TopicMissing(f"There is no topic {topic} in this log. Create it: sagalog topics create")


def missing_partition(spec: TopicSpec, partition: int) -> TopicMissing:
    """The error for a partition that a topic does not have."""
    message = f"Topic {spec.name} has {spec.partitions} partitions, so there is no {partition}"
    return TopicMissing(f"{message}. `sagalog topics check` tells what the app needs")


def lost(place: Place, offset: int, start: int, following: int) -> OffsetLost:
    """The error for an offset outside of what a place holds."""
    holds = f"it holds those from {start} on, and the next one will be {following}"
    return OffsetLost(f"{place[0]}/{place[1]} does not hold offset {offset}: {holds}")


def not_reached(place: Place, offset: int, following: int) -> OffsetLost:
    """The error for a trim to an offset that a place has not reached."""
    message = f"{place[0]}/{place[1]} cannot be trimmed to {offset}"
    return OffsetLost(f"{message}, for its next record will be {following}")
