"""`sagalog show` and `list`: what is read back from the log."""

from pathlib import Path
from typing import Any

import pytest

from tests.streams.cli.shell import Said, Shell


def start(shop: Shell, name: str, mode: str, *words: str) -> str:
    order = f'{{"sku": "pen", "mode": "{mode}"}}'
    told: Said = shop.type("start", "shop", name, order, "--json", *words)
    instance: str = told.json["id"]
    return instance


def test_the_story_of_a_saga_that_turned_back(shop: Shell) -> None:
    instance = start(shop, "place-order", "declined", "--key", "order-1")
    shown = shop.type("show", instance, "--json").json
    assert shown["status"] == "compensated"
    assert shown["cause"] == "failure"
    facts = [moment["type"].removeprefix("sagalog.") for moment in shown["timeline"]]
    assert facts[:3] == ["started.v1", "step.completed.v1", "step.failed.v1"]
    assert set(facts[3:]) == {"deadlettered.v1", "step.compensated.v1", "compensated.v1"}
    assert [step["undo_state"] for step in shown["steps"]] == ["done", "", ""]
    offsets = [moment["offset"] for moment in shown["timeline"]]
    assert offsets == sorted(offsets)
    assert shown["read"]["from"] == 0
    assert shown["read"]["to"] > offsets[-1]


def test_the_same_for_people(shop: Shell) -> None:
    instance = start(shop, "place-order", "flaky", "--key", "order-2")
    said = shop.type("show", instance).out
    assert said.startswith(f"place-order  {instance}  completed\n")
    assert "ValueError: the card machine was asleep (again at " in said
    for part in ("key        order-2", "Timeline", "Steps", "read from  shop.events/"):
        assert part in said
    assert "Pending" not in said
    assert shop.type("show", "--key", "order-2", "--name", "place-order").out == said


def test_what_is_pending_and_when(shop: Shell) -> None:
    order = '{"sku": "pen", "mode": "later"}'
    instance = shop.type("start", "shop", "hourly", order, "--no-wait").out.strip()
    while not (pending := shop.type("show", instance, "--json").json.get("pending")) or (
        pending[0]["attempt"] == 1
    ):
        pass
    assert pending[0]["step"] == "once_an_hour"
    assert pending[0]["attempt"] == 2
    assert "- run once_an_hour, attempt 2: at " in shop.type("show", instance).out
    (listed,) = [line for line in shop.type("list").out.splitlines() if instance in line]
    assert "once_an_hour again at" in listed
    shop.type("cancel", instance)


def test_a_step_that_runs_elsewhere_is_linked_both_ways(shop: Shell) -> None:
    instance = start(shop, "spread", "")
    shown = shop.type("show", instance, "--json").json
    child = shown["steps"][0]["child"]
    assert f"reserve: sagalog show {child} --app shop" in shop.type("show", instance).out
    assert shop.type("show", child, "--json").json["parent"]["instance"] == instance
    assert f"step reserve: sagalog show {instance} --app shop" in shop.type("show", child).out


def test_a_parked_instance_says_what_to_type(shop: Shell) -> None:
    instance = start(shop, "place-order", "park")
    said = shop.type("show", instance).out
    assert f"- waits for a person: sagalog release {instance} ship --app shop --retry" in said
    (listed,) = [line for line in shop.type("list").out.splitlines() if instance in line]
    assert "waits for a person at ship: ValueError: no parcel service today" in listed
    (document,) = [one for one in shop.type("list", "--json").lines if one["id"] == instance]
    assert document["parked_at"] == "ship"
    assert document["steps_completed"] == 2


def test_filters(shop: Shell) -> None:
    instance = start(shop, "spread", "")
    newest = shop.type("list", "--json", "--limit", "2", "--name", "spread").lines
    assert newest[0]["id"] == instance
    assert [one["name"] for one in newest] == ["spread"] * len(newest)
    statuses = {one["status"] for one in shop.type("list", "--json", "-s", "parked").lines}
    assert statuses <= {"dead", "stuck"}
    assert shop.type("list", "--json", "--since", "2999-01-01T00:00").lines == []
    assert shop.type("list", "--json", "--since", "1h", "-s", "completed", "-s", "live").lines
    everything = shop.type("list", "--limit", "1").out
    assert "older ones not shown: --limit 0" in everything


def test_a_request_that_waits_in_its_lane(shell: Shell) -> None:
    shell.type("start", "shop:app", "place-order", '{"sku": "a"}', "--no-wait", "--key", "a")
    said = shell.type("show", "--key", "a", "--name", "place-order")
    assert said.code == 0
    assert "queued" in said.out
    assert "StartSaga waits in the lane normal/" in said.out
    assert shell.type("list").out == "Nothing yet.\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["show", "no-such-id"], 3, "shop has no instance no-such-id in sqlite:"),
        (["show"], 2, "which instance? Give its ID, or --key together with --name"),
        (["show", "--key", "k"], 2, "which instance?"),
        (["show", "x", "--app", "other"], 4, "has no app 'other'"),
        (["list", "--status", "done"], 2, "there is no status 'done'. There are: scheduled,"),
        (["list", "--since", "yesterday"], 2, "--since: 'yesterday' is no time"),
        (["list", "--url", "memory:"], 2, "memory: is gone with its process"),
        (["list", "--url", "sqlite:none.db"], 3, "there is no log"),
    ],
)
def test_what_is_not_there(shop: Shell, words: list[str], code: int, said: str) -> None:
    told = shop.type(*words)
    assert told.code == code
    assert said in told.err
    assert told.out == ""


def test_a_file_that_is_no_log(shell: Shell) -> None:
    (shell.folder / "sagalog.db").write_text("this is no database, " * 50)
    told = shell.type("list")
    assert told.code == 5
    assert "is not a log of sagalog, nor any SQLite file" in told.err


def test_looking_disturbs_no_owner_and_needs_none(shell: Shell) -> None:
    with shell.pod():
        shell.type("start", "shop", "place-order", '{"sku": "a"}', "--key", "a")
    said = shell.type("show", "--key", "a", "--name", "place-order", "--json")
    assert said.json["status"] == "completed"


def test_how_far_it_is(shop: Shell, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    order = f'{{"sku": "pen", "mode": "slow", "gate": "{gate}"}}'
    instance = shop.type("submit", "shop", "count", order, "--no-wait").out.strip()

    def shown() -> Any:
        steps = shop.type("show", instance, "--json").json.get("steps") or [{}]
        return steps[0].get("progress")

    while not (progress := shown()):
        pass
    assert (progress["fraction"], progress["message"]) == (0.4, "half of [the] rows")
    said = shop.type("show", instance).out
    assert said.count("40% half of [the] rows") == 2
    gate.touch()
    while shop.type("show", instance, "--json").json["status"] != "completed":
        pass
    assert shop.type("show", instance).out.count("40% half of [the] rows") == 1
