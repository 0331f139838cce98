"""`sagalog topics`: the plan, the making, the checking."""

import asyncio
from dataclasses import replace

import pytest

from sagalog.schemas.topics import Topics, TopicSpec
from sagalog.streams.opening import log_at
from tests.streams.cli.shell import Shell


def make(shell: Shell, *specs: TopicSpec) -> None:
    async def made() -> None:
        log = log_at(shell.url)
        await log.open()
        await log.create(specs)
        await log.close()

    asyncio.run(made())


def test_the_plan_asks_nobody_and_makes_nothing(shell: Shell) -> None:
    told = shell.type("topics", "plan", "--partitions", "12", "--json").json
    assert {spec["name"] for spec in told} == {spec.name for spec in Topics("shop").specs(12)}
    assert {spec["partitions"] for spec in told} == {12}
    assert not list(shell.folder.glob("sagalog.db*"))
    said = shell.type("topics", "plan", "other", "--backups-retention", "30d").out
    assert "retention.ms=2592000000" in said
    said = shell.type("topics", "plan", "other", "--events-retention", "forever").out
    assert "other.events" in said
    assert "message.timestamp.type=LogAppendTime retention.ms=-1" in said


def test_the_plan_as_commands_for_who_runs_the_broker(shell: Shell) -> None:
    said = shell.type("topics", "plan", "--shell", "--url", "kafka://broker:9092").out
    first, *others = said.splitlines()
    assert first.startswith("kafka-topics.sh --bootstrap-server broker:9092 --create --topic shop.")
    assert "--config retention.ms=-1" in first
    assert len(others) == 9


def test_create_and_check(shell: Shell) -> None:
    missing = shell.type("topics", "check")
    assert missing.code == 3
    created = shell.type("topics", "create", "--partitions", "2", "--json")
    assert created.code == 0
    assert all(one["created"] for one in created.json)
    again = shell.type("topics", "create")
    assert again.code == 0
    assert "was there" in again.out
    right = shell.type("topics", "check")
    assert right.code == 0
    assert right.out == "shop: all 10 topics are right, 2 partitions each\n"
    assert shell.type("topics", "check", "--json").json == []


def test_what_is_missing_is_made_to_match(shell: Shell) -> None:
    make(shell, *[spec for spec in Topics("shop").specs(3) if not spec.name.endswith("low")])
    told = shell.type("topics", "check")
    assert told.code == 1
    assert "wrong  shop.low is missing" in told.out
    assert "sagalog topics create shop" in told.out
    assert shell.type("topics", "create").code == 0
    assert shell.type("topics", "check").code == 0


def test_each_difference_says_what_to_do(shell: Shell) -> None:
    specs = {spec.name: spec for spec in Topics("shop").specs(2)}
    wrong = replace(specs["shop.normal"], partitions=3)
    forgetful = replace(specs["shop.high"], settings={"retention.ms": "1000"})
    short = replace(
        specs["shop.events"], settings=specs["shop.events"].settings | {"retention.ms": "5"}
    )
    make(shell, wrong, forgetful, short)
    make(shell, *specs.values())
    told = shell.type("topics", "check")
    assert told.code == 1
    assert "wrong  shop.normal has 3 partitions and should have 2" in told.out
    assert "wrong  shop.high: retention.ms is '1000' and should be '-1'" in told.out
    assert "note   shop.events: retention.ms is '5' and should be '2592000000'" in told.out
    documents = shell.type("topics", "check", "--json").json
    assert {one["wrong"] for one in documents} == {True, False}
    assert all(one["remedy"] for one in documents)


def test_a_pod_refuses_topics_that_do_not_match(shell: Shell) -> None:
    specs = {spec.name: spec for spec in Topics("shop").specs(2)}
    make(shell, replace(specs.pop("shop.tables"), partitions=3), *specs.values())
    told = shell.run("run", "shop:app")
    assert told.code == 4
    assert "shop.tables has 3 partitions and should have 2. Run `sagalog topics check" in told.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plan", "--partitions", "0"], "Invalid value for '--partitions'"),
        (["plan", "--events-retention", "long"], "--events-retention: 'long' is no duration"),
        (["plan", "no/app"], "app 'no/app': is no name"),
    ],
)
def test_a_wrong_plan(shell: Shell, words: list[str], said: str) -> None:
    told = shell.type("topics", *words)
    assert told.code == 2
    assert said in told.err
