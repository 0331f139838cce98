"""Topics as they must be, against those that there are."""

from dataclasses import replace

import pytest

from sagalog.schemas.topics import Topics, TopicSpec
from sagalog.streams.topics import Difference, creation, differences, partitions_of, remedy

SPECS = {spec.name: spec for spec in Topics("shop").specs(4)}
KAFKA = "kafka://a:9092,b:9092"


def against(**changed: TopicSpec | None) -> list[Difference]:
    found = {f"shop.{name}": spec for name, spec in changed.items()}
    there = {name: spec for name, spec in (SPECS | found).items() if spec is not None}
    return differences(list(SPECS.values()), there)


def with_settings(topic: str, **settings: str) -> TopicSpec:
    spec = SPECS[f"shop.{topic}"]
    return replace(
        spec, settings=spec.settings | {k.replace("_", "."): v for k, v in settings.items()}
    )


def test_no_difference() -> None:
    assert against() == []


@pytest.mark.parametrize(
    ("topic", "settings", "serious"),
    [
        ("high", {"retention_ms": "1000"}, True),  # waiting work would vanish
        ("events", {"retention_ms": "1000"}, False),  # how long history is kept is a choice
        ("replies", {"retention_ms": "1000"}, False),
        ("events", {"cleanup_policy": "compact"}, True),
        ("tables", {"cleanup_policy": "delete"}, True),
        ("normal", {"message_timestamp_type": "CreateTime"}, True),
        ("tables", {"max_message_bytes": "1000000"}, True),
    ],
)
def test_a_setting(topic: str, settings: dict[str, str], serious: bool) -> None:
    (one,) = against(**{topic: with_settings(topic, **settings)})
    assert (one.kind, one.serious) == ("setting", serious)
    assert one.topic == f"shop.{topic}"
    assert one.name in one.sentence()


@pytest.mark.parametrize(
    ("topic", "settings"),
    [
        ("backups", {"cleanup_policy": "delete,compact"}),
        ("tables", {"max_message_bytes": "99999999"}),
        ("events", {"segment_ms": "5"}),
    ],
)
def test_what_is_as_good(topic: str, settings: dict[str, str]) -> None:
    assert against(**{topic: with_settings(topic, **settings)}) == []


def test_missing_and_miscounted_topics() -> None:
    told = against(low=None, high=replace(SPECS["shop.high"], partitions=3))
    assert [one.sentence() for one in told] == [
        "shop.high has 3 partitions and should have 4",
        "shop.low is missing",
    ]
    assert all(one.serious for one in told)


def test_remedies_are_commands_where_there_are_some() -> None:
    missing, miscounted, policy = (
        Difference("shop.low", "missing", "", "", "", serious=True),
        Difference("shop.low", "partitions", "partitions", "4", "3", serious=True),
        Difference("shop.backups", "setting", "cleanup.policy", "compact,delete", "", serious=True),
    )
    assert remedy(missing, "shop", KAFKA) == f"sagalog topics create shop --url {KAFKA}"
    assert "sagalog topics create shop --partitions N" in remedy(miscounted, "shop", KAFKA)
    assert remedy(policy, "shop", KAFKA) == (
        "kafka-configs.sh --bootstrap-server a:9092,b:9092 --alter --entity-type topics "
        "--entity-name shop.backups --add-config 'cleanup.policy=[compact,delete]'"
    )
    assert "keep the settings" in remedy(policy, "shop", "sqlite:x.db")


def test_the_command_that_creates_a_topic() -> None:
    assert creation(SPECS["shop.high"], KAFKA) == (
        "kafka-topics.sh --bootstrap-server a:9092,b:9092 --create --topic shop.high "
        "--partitions 4 --config cleanup.policy=delete --config retention.ms=-1 "
        "--config message.timestamp.type=LogAppendTime"
    )
    assert "--bootstrap-server HOST:PORT" in creation(SPECS["shop.high"], "sqlite:x")


def test_how_many_partitions_an_app_has() -> None:
    assert partitions_of("shop", SPECS) == 4
    assert partitions_of("shop", {}) is None
