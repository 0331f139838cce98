"""Kafka behind the port: see `sagalog.streams.log`."""

from sagalog.streams.kafka.log import KafkaLog
from sagalog.streams.kafka.settings import KafkaSettings

__all__ = ["KafkaLog", "KafkaSettings"]
