"""`sagalog pause`, `resume` and `pauses`, and what `list` and `show` say of what waits."""

from collections.abc import Iterator

import pytest

from tests.streams.cli.shell import Shell


@pytest.fixture
def calm(shop: Shell) -> Iterator[Shell]:
    """The shop, in which nothing is held before or after."""
    yield shop
    for held in shop.type("pauses", "--json").lines:
        what = ("--operation", held["operation"]) if held["operation"] else ("--lane", held["lane"])
        shop.type("resume", *what)


def test_what_waits_for_a_paused_operation_is_shown_and_goes_on(calm: Shell) -> None:
    shop = calm
    told = shop.type("pause", "-o", "charge", "-r", "the bank is down", "--by", "ann")
    assert told.out == "operation charge is paused in every partition\n"
    order = '{"sku": "pen"}'
    instance = shop.type("start", "shop", "place-order", order, "--no-wait").out.strip()
    while not (held := shop.type("show", instance, "--json").json.get("paused")):
        pass
    assert held == "charge is paused by ann: the bank is down"
    assert f"waits: {held}" in shop.type("show", instance).out
    (listed,) = shop.type("list", "--status", "paused", "--json").lines
    assert (listed["id"], listed["phase"], listed["status"]) == (instance, "paused", "running")
    (row,) = [line for line in shop.type("list").out.splitlines() if instance in line]
    assert "paused" in row
    assert held in row
    status = shop.type("status", "--interval", "0", "--json").json
    assert status["operations"] == {"place-order": {"paused": 1}}
    assert {lane["in_flight"] for lane in status["lanes"]} == {0}
    (hold,) = shop.type("pauses", "--json").lines
    assert (hold["operation"], hold["kind"], hold["waiting"]) == ("charge", "pause", 1)
    assert "operation charge" in shop.type("pauses").out
    told = shop.type("resume", "--operation", "charge", "--json")
    assert told.json == {"operation": "charge", "lane": None, "now": "resumed"}
    while shop.type("show", instance, "--json").json["status"] != "completed":
        pass
    assert shop.type("pauses").out == "Nothing is held.\n"


def test_the_backlog_of_a_paused_lane_is_counted(calm: Shell) -> None:
    shop = calm
    shop.type("pause", "--lane", "low")
    order = '{"sku": "pen"}'
    for _ in range(3):
        shop.type("start", "shop", "place-order", order, "--no-wait", "--priority", "low")
    (hold,) = shop.type("pauses", "--json").lines
    assert (hold["lane"], hold["waiting"]) == ("low", 3)
    assert (hold["operation"], hold["reason"], hold["next_probe"]) == (None, None, None)
    assert hold["partitions"] == [0, 1, 2, 3]


def test_what_is_paused_can_be_purged_and_is_not_requeued(calm: Shell) -> None:
    calm.type("pause", "-o", "double")
    submitted = calm.type("submit", "shop:app", "double", "4", "--no-wait")
    instance = submitted.out.strip()
    while calm.type("show", instance, "--json").json.get("paused") is None:
        pass
    said = calm.type("requeue", "--status", "paused")
    assert (said.code, said.err) == (
        2,
        "Error: what is paused goes on by `sagalog resume`: see `sagalog pauses`\n",
    )
    said = calm.type("purge", "--status", "paused", "--yes")
    assert (said.code, said.out) == (0, "1 cancelled\n")


def test_an_operation_that_nothing_vouches_for_is_noted(calm: Shell) -> None:
    told = calm.type("pause", "--operation", "chrage")
    assert (told.code, told.out) == (0, "operation chrage is paused in every partition\n")
    assert "not checked: no recent instance of shop has an operation 'chrage'" in told.err
    assert calm.type("start", "shop", "place-order", '{"sku": "pen"}').code == 0
    for known in ("charge", "refund"):  # a step, and an undo
        assert calm.type("pause", "--operation", known).err == ""
    assert calm.type("resume", "--operation", "refund", "--app", "shop:app").err == ""


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "say what: either --operation or --lane"),
        (("--lane", "low", "--operation", "charge"), 2, "either --operation or --lane"),
        (("--lane", "urgent"), 2, "Use one of high, normal, low, compensations"),
        (("--operation", "chrge", "--app", "shop:app"), 2, "Did you mean 'charge'?"),
        (("--operation", "charge", "--app", "nothing"), 4, "has no app 'nothing'"),
    ],
)
def test_what_cannot_be_paused(shop: Shell, words: tuple[str, ...], code: int, said: str) -> None:
    told = shop.type("pause", *words)
    assert said in told.err
    assert told.code == code
