"""`sagalog deadletters`: what failed for good is looked at, and put back."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sagalog.schemas.record import Entry
from sagalog.streams.cli.sessions import looking
from tests.streams.cli.shell import Shell


def park(shop: Shell, mode: str, gate: Path) -> str:
    order = f'{{"sku": "pen", "mode": "{mode}", "gate": "{gate}"}}'
    instance: str = shop.type("start", "shop", "place-order", order, "--json").json["id"]
    return instance


def letters(shop: Shell, **wanted: Any) -> list[dict[str, Any]]:
    """The letters whose content has these values, the newest first."""
    told = shop.type("deadletters", "list", "--json", "--limit", "0").lines
    return [one for one in told if wanted.items() <= one["letter"].items()]


def letter(shop: Shell, **wanted: Any) -> dict[str, Any]:
    (found,) = letters(shop, **wanted)
    return found


def append(shop: Shell, topic: str, partition: int, value: bytes) -> int:
    async def appended() -> int:
        async with looking(shop.url, "shop") as session:
            return await session.log.append(topic, partition, [Entry(b"key", value)])

    return asyncio.run(appended())


def test_a_letter_tells_all(shop: Shell, tmp_path: Path) -> None:
    instance = park(shop, "park", tmp_path / "never")
    one = letter(shop, instance=instance)
    assert one["standing"] == "waits"
    said = shop.type("deadletters", "show", one["short"]).out
    for part in (
        f"{one['short']}  waits",
        f"id        {one['id']}",
        "ValueError: no parcel service today",
        "shop.py",  # the traceback
        '"mode":"park"',  # the input
        f"put it back:  sagalog deadletters replay {one['short']} --app shop",
    ):
        assert part in said
    assert one["short"] in shop.type("deadletters", "list", "--waiting").out
    assert shop.type("deadletters", "show", one["id"], "--json").json == one


def test_a_replay_goes_on_where_it_stopped(shop: Shell, tmp_path: Path) -> None:
    instance = park(shop, "park", tmp_path / "gate")
    one = letter(shop, instance=instance)
    (tmp_path / "gate").touch()
    told = shop.type("deadletters", "replay", one["short"], "--by", "adam")
    assert told.code == 0
    assert told.out.startswith("completed  place-order")
    again = letter(shop, instance=instance)
    assert again["standing"] == "replayed"
    assert [replay["by"] for replay in again["replays"]] == ["adam"]
    twice = shop.type("deadletters", "replay", one["short"])
    assert twice.code == 1
    assert f"{instance} is completed: it has no step to go back to" in twice.err


def test_a_stuck_undo_is_put_back(shop: Shell, tmp_path: Path) -> None:
    instance = park(shop, "stuck", tmp_path / "gate")
    one = letter(shop, instance=instance, phase="undo")
    (tmp_path / "gate").touch()
    told = shop.type("deadletters", "replay", one["short"], "--json")
    assert told.json["status"] == "compensated"
    assert letter(shop, instance=instance, phase="undo")["standing"] == "replayed"


def test_a_replay_that_fails_again_is_a_new_letter(shop: Shell, tmp_path: Path) -> None:
    instance = park(shop, "park", tmp_path / "never")
    one = letter(shop, instance=instance)
    assert shop.type("deadletters", "replay", one["short"]).code == 1
    newest, oldest = letters(shop, instance=instance)
    assert (newest["standing"], oldest["standing"]) == ("waits", "replayed")


def test_an_old_letter_does_not_move_a_newer_stop(shop: Shell, tmp_path: Path) -> None:
    instance = park(shop, "park", tmp_path / "never")
    one = letter(shop, instance=instance)
    shop.type("release", instance, "ship", "--retry")
    told = shop.type("deadletters", "replay", one["short"])
    assert told.code == 1
    assert f"it was released already: {instance} is stuck now" in told.err


def test_what_turned_back_can_be_started_anew_once(shop: Shell) -> None:
    instance = park(shop, "declined", Path("never"))
    one = letter(shop, instance=instance)
    assert one["standing"] == "ended"
    refused = shop.type("deadletters", "replay", one["short"])
    assert refused.code == 1
    assert "--as-new starts a new instance with the same input" in refused.err
    told = shop.type("deadletters", "replay", one["short"], "--as-new", "--json")
    assert told.json["status"] == "compensated"
    assert told.json["id"] != instance
    again = shop.type("deadletters", "replay", one["short"], "--as-new", "--json").json
    assert (again["instance"], again["done"]) == (told.json["id"], False)
    assert shop.type("show", told.json["id"], "--json").json["input"]["mode"] == "declined"


def test_a_saga_given_as_data_is_started_anew_with_its_steps(shop: Shell) -> None:
    (shop.folder / "saga.json").write_text(
        '{"name": "only-data", "input": {"sku": "pen", "mode": "declined"},'
        ' "steps": [{"operation": "charge", "name": "pay"}]}'
    )
    first = shop.type("start", "shop", "--saga", "saga.json", "--json").json["id"]
    one = letter(shop, instance=first)
    told = shop.type("deadletters", "replay", one["short"], "--as-new", "--json")
    assert shop.type("show", told.json["id"], "--json").json["steps"][0]["step"] == "pay"


def test_what_has_not_ended_is_not_started_anew(shop: Shell, tmp_path: Path) -> None:
    one = letter(shop, instance=park(shop, "park", tmp_path / "never"))
    told = shop.type("deadletters", "replay", one["short"], "--as-new")
    assert told.code == 1
    assert "is stuck, not ended: replay without --as-new, or cancel it first" in told.err


def test_a_poison_record_is_put_back_as_it_was(shop: Shell) -> None:
    offset = append(shop, "shop.normal", 1, b"\xff\x00 no JSON")
    while not (found := letters(shop, topic="shop.normal", offset=offset, partition=1)):
        pass
    one = found[0]
    said = shop.type("deadletters", "show", one["id"]).out
    assert f"from   shop.normal/1 at offset {offset}" in said
    assert "not JSON" in said
    asked = shop.type("deadletters", "replay", one["id"], stdin="n\n")
    assert asked.code == 1
    told = shop.type("deadletters", "replay", one["id"], "--yes", "--json").json
    assert told["place"] == "shop.normal/1"
    assert told["offset"] > offset
    assert letter(shop, topic="shop.normal", offset=offset)["standing"] == "replayed"
    twice = shop.type("deadletters", "replay", one["id"], "--yes")
    assert "it was put back already" in twice.err


def test_a_start_that_is_too_old_is_not_put_back_but_started_anew(shop: Shell) -> None:
    old = (
        b'{"type": "sagalog.saga.start.v1", "subject": "old-one", "data": {"name": "place-order",'
        b' "input": {"sku": "pen"}, "fingerprint": 5, "cause_time": 1}}'
    )
    offset = append(shop, "shop.low", 0, old)
    while not (found := letters(shop, topic="shop.low", offset=offset)):
        pass
    told = shop.type("deadletters", "replay", found[0]["id"], "--yes")
    # As poison it asks for nothing that could be judged: it is put back, and fails again.
    assert told.code == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["show", "nothing"], 3, "shop has no dead letter nothing"),
        (["replay", "nothing"], 3, "shop has no dead letter nothing"),
        (["show", "shop."], 2, "shop. may be any of"),
    ],
)
def test_what_is_not_there(shop: Shell, words: list[str], code: int, said: str) -> None:
    for partition in (2, 3):
        append(shop, "shop.normal", partition, b"{]")
    while len(letters(shop, topic="shop.normal")) < 2:
        pass
    told = shop.type("deadletters", *words)
    assert told.code == code
    assert said in told.err


def test_none(shell: Shell) -> None:
    with shell.pod():
        assert shell.type("deadletters", "list").out == "No dead letters.\n"
