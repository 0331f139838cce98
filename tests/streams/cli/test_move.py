"""`sagalog cancel` and `release`: an instance is moved, and what cannot be moved is told."""

from pathlib import Path

import pytest

from tests.streams.cli.shell import Shell


def park(shop: Shell, mode: str, gate: Path) -> str:
    order = f'{{"sku": "pen", "mode": "{mode}", "gate": "{gate}"}}'
    told = shop.type("start", "shop", "place-order", order, "--json")
    assert told.json["status"] == "stuck"
    instance: str = told.json["id"]
    return instance


def slow(shop: Shell) -> str:
    order = '{"sku": "pen", "mode": "later"}'
    return shop.type("start", "shop", "hourly", order, "--no-wait").out.strip()


def test_a_cancel_undoes_what_was_done(shop: Shell) -> None:
    instance = slow(shop)
    told = shop.type("cancel", instance, "--reason", "sold out", "--json")
    assert told.code == 0
    assert told.json["status"] == "cancelled"
    assert "by eva: sold out" in shop.type("show", instance).out


def test_what_has_ended_or_turned_back_cannot_be_cancelled(shop: Shell) -> None:
    instance = slow(shop)
    assert shop.type("cancel", instance).code == 0
    again = shop.type("cancel", instance)
    assert again.code == 1
    assert f"{instance} is cancelled: it has ended already" in again.err


def test_a_parked_instance_can_be_cancelled(shop: Shell, tmp_path: Path) -> None:
    instance = park(shop, "park", tmp_path / "never")
    told = shop.type("cancel", instance)
    assert told.code == 0
    assert told.out.startswith("cancelled  place-order")


def test_a_cancel_finds_a_start_that_still_waits_in_its_lane(shell: Shell) -> None:
    order = '{"sku": "pen", "mode": "slow"}'
    words = ("start", "shop:app", "place-order", order, "--no-wait", "--priority", "low")
    instance = shell.type(*words).out.strip()
    told = shell.type("cancel", instance, "--timeout", "100ms")
    assert told.code == 1
    assert "no pod has taken it in within 0.1 s: none runs" in told.err
    with shell.pod(), shell.running("show", instance):
        assert shell.type("cancel", instance, "--timeout", "100ms").code in (0, 1)


def test_a_retry_that_helps(shop: Shell, tmp_path: Path) -> None:
    instance = park(shop, "park", tmp_path / "gate")
    (tmp_path / "gate").touch()
    told = shop.type("release", instance, "ship", "--retry")
    assert told.code == 0
    assert told.out.startswith("completed  place-order")
    assert "retry by eva" in shop.type("show", instance).out


def test_a_retry_that_does_not_help(shop: Shell, tmp_path: Path) -> None:
    instance = park(shop, "park", tmp_path / "never")
    told = shop.type("release", instance, "ship", "--retry", "--json")
    assert told.code == 1
    assert told.json["status"] == "stuck"


def test_done_by_hand(shop: Shell, tmp_path: Path) -> None:
    instance = park(shop, "park", tmp_path / "never")
    told = shop.type("release", instance, "ship", "--resolve", '"parcel-9"', "--by", "adam")
    assert told.code == 0
    shown = shop.type("show", instance, "--json").json
    assert shown["result"]["ship"] == "parcel-9"
    assert shown["timeline"][-2]["data"]["by"] == "adam"


def test_a_stuck_undo_is_skipped(shop: Shell, tmp_path: Path) -> None:
    instance = park(shop, "stuck", tmp_path / "never")
    told = shop.type("release", instance, "reserve", "--skip")
    assert told.code == 0
    assert told.out.startswith("compensated  place-order")


@pytest.mark.parametrize(
    ("step", "how", "code", "said"),
    [
        ("charge", ["--skip"], 1, "step 'charge' of"),
        ("shp", ["--skip"], 2, "has no step 'shp'. Did you mean 'ship'? The one that waits is"),
        ("ship", [], 2, "exactly one of --retry, --resolve JSON and --skip"),
        ("ship", ["--skip", "--retry"], 2, "exactly one of"),
        ("ship", ["--resolve", "{"], 2, "--resolve is not JSON"),
        ("ship", ["--skip", "--timeout", "x"], 2, "--timeout: 'x' is no duration"),
    ],
)
def test_a_release_that_would_move_nothing(
    shop: Shell, tmp_path: Path, step: str, how: list[str], code: int, said: str
) -> None:
    instance = park(shop, "park", tmp_path / "never")
    told = shop.type("release", instance, step, *how)
    assert told.code == code
    assert said in told.err


def test_what_waits_for_nobody(shop: Shell) -> None:
    done = shop.type("start", "shop", "place-order", '{"sku": "pen"}', "--json").json["id"]
    told = shop.type("release", done, "ship", "--retry")
    assert told.code == 1
    assert "is completed: no step of it waits for a person" in told.err
    assert shop.type("release", "nothing", "ship", "--retry").code == 3
    assert shop.type("cancel", "nothing").code == 3
