"""`sagalog backups`: emergencies are looked at, tried again and resolved."""

import sys
from pathlib import Path
from typing import Any

import pytest

from sagalog.streams import BlockingClient, CriticalFailed
from tests.streams.cli.shell import Shell


def critical(shop: Shell, sku: str, mode: str, gate: str = "", **options: Any) -> Any:
    """A critical call, as the shop's web server makes one."""
    sys.path.insert(0, str(shop.folder))
    import shop as code  # type: ignore[import-not-found] # noqa: PLC0415

    order = code.Order(sku=sku, mode=mode, gate=gate)
    with BlockingClient(code.app, shop.url, pod=False) as client:
        return client.critical(code.pay, order, then=code.save, key=sku, **options)


def backup(shop: Shell, told: Any) -> dict[str, Any]:
    """The backup of a call, as the list has it."""
    lines = shop.type("backups", "list", "--json").lines
    (found,) = (one for one in lines if one["id"] == told.id)
    assert isinstance(found, dict)
    return found


def test_a_call_without_an_emergency_leaves_none(shop: Shell) -> None:
    told = critical(shop, "pen", "")
    assert (told.result, told.emergency) == ("paid for pen", False)
    shown = shop.type("show", told.instance)
    assert "run by its caller" in shown.out


def test_an_error_has_a_message_for_the_end_user(shop: Shell) -> None:
    with pytest.raises(CriticalFailed) as caught:
        critical(shop, "ink", "declined")
    assert caught.value.user_message == "Your card was declined."


def test_an_emergency_is_told_whole(shop: Shell, tmp_path: Path) -> None:
    told = critical(shop, "cap", "away", str(tmp_path / "no"), tags=["vip", "pay"], user="ann")
    assert told.emergency
    one = backup(shop, told)
    assert (one["standing"], one["tags"], one["user"]) == ("emergency", ["vip", "pay"], "ann")
    assert one["done"] == {"pay": "paid for cap"}
    assert one["next_attempt"] is not None
    listed = shop.type("backups", "list", "--tag", "vip").out
    assert f"{one['short']}" in listed
    assert "ConnectionRefusedError: the database is away" in listed
    assert one["short"] not in shop.type("backups", "list", "--tag", "other").out
    assert one["short"] not in shop.type("backups", "list", "--waiting").out
    said = shop.type("backups", "show", one["short"]).out
    for part in (
        f"{one['short']}  emergency",
        "pay, then save",
        "pay gave  paid for cap",
        f"done by hand:  sagalog backups resolve {one['short']} --app shop",
    ):
        assert part in said
    assert shop.type("backups", "show", one["id"], "--json").json == one
    left = shop.type("backups", "retry", one["short"])
    assert (left.code, "goes on by itself" in left.out) == (1, True)


def test_an_emergency_is_resolved_by_hand(shop: Shell, tmp_path: Path) -> None:
    told = critical(shop, "hat", "broken", str(tmp_path / "no"))
    done = shop.type("backups", "resolve", told.id, "--result", '"by hand"', "--json")
    assert done.json == {
        "id": told.id,
        "instance": told.instance,
        "was": "emergency",
        "how": "resolved",
    }
    again = critical(shop, "hat", "broken", str(tmp_path / "no"))
    assert (again.emergency, again.result) == (False, "paid for hat")
    gone = shop.type("backups", "show", told.id)
    assert gone.code == 3
    assert "there is no open backup" in gone.err


def test_a_result_that_is_no_json_is_refused(shop: Shell) -> None:
    told = shop.type("backups", "resolve", "x", "--result", "by hand")
    assert told.code == 2
    assert "--result is not JSON" in told.err
