"""The topics of an app, as DESIGN section 2 has them."""

import pytest

from sagalog.schemas.topics import DAY, HOUR, LANES, Topics, TopicSpec

SPECS = {spec.name: spec for spec in Topics("orders").specs(4)}


def test_an_app_has_these_topics_and_no_other() -> None:
    short = [*LANES, "events", "tables", "deadletters", "backups", "replies", "workers"]
    assert [*SPECS] == [f"orders.{name}" for name in short]


def test_the_lanes_are_the_three_priorities_and_the_compensations() -> None:
    assert LANES == ("high", "normal", "low", "compensations")
    assert Topics("orders").lanes == tuple(Topics("orders").lane(lane) for lane in LANES)


@pytest.mark.parametrize("spec", SPECS.values(), ids=[*SPECS])
def test_what_belongs_together_has_the_same_number_of_partitions(spec: TopicSpec) -> None:
    assert spec.partitions == 4


@pytest.mark.parametrize("lane", LANES)
def test_waiting_work_is_never_cut_by_time(lane: str) -> None:
    settings = SPECS[f"orders.{lane}"].settings
    assert settings["cleanup.policy"] == "delete"
    assert settings["retention.ms"] == "-1"


@pytest.mark.parametrize("name", [*LANES, "events"])
def test_lanes_and_events_are_stamped_by_the_broker(name: str) -> None:
    assert SPECS[f"orders.{name}"].settings["message.timestamp.type"] == "LogAppendTime"


@pytest.mark.parametrize(
    ("name", "policy", "retention"),
    [
        ("events", "delete", str(30 * DAY)),
        ("tables", "compact", None),
        ("deadletters", "delete", str(30 * DAY)),
        ("backups", "compact,delete", str(7 * DAY)),
        ("replies", "delete", str(HOUR)),
        ("workers", "compact,delete", str(HOUR)),
    ],
)
def test_each_topic_is_kept_as_the_design_says(
    name: str, policy: str, retention: str | None
) -> None:
    settings = SPECS[f"orders.{name}"].settings
    assert settings["cleanup.policy"] == policy
    assert settings.get("retention.ms") == retention


def test_events_can_be_kept_for_ever() -> None:
    specs = {spec.name: spec for spec in Topics("orders").specs(1, events_retention=-1)}
    assert specs["orders.events"].settings["retention.ms"] == "-1"


def test_a_lane_s_settings_are_its_own() -> None:
    specs = Topics("orders").specs(1)
    specs[0].settings["retention.ms"] = "5"
    assert specs[1].settings["retention.ms"] == "-1"
