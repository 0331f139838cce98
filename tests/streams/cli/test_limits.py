"""`sagalog limits set` and `list`."""

import pytest

from tests.streams.cli.shell import Shell


def test_a_limit_is_set_shown_and_taken_back(shop: Shell) -> None:
    assert shop.type("limits", "list").out == "No limit is in use, and none is set.\n"
    told = shop.type("limits", "set", "weigh", "--concurrency", "2", "--key", "acme", "--by", "ann")
    assert told.out == "weigh of 'acme': 2 at once\n"
    told = shop.type("limits", "set", "weigh", "--rate", "90", "--per", "1m")
    assert told.out == "weigh: 90 in 1 m 00 s\n"
    for_all, for_one = shop.type("limits", "list", "--json").lines
    assert (for_all["key"], for_all["limit"]["rate"], for_all["set"]) == (None, 90, True)
    assert (for_one["key"], for_one["limit"]["concurrency"], for_one["lent"]) == ("acme", 2, 0)
    said = shop.type("limits", "list").out
    assert "(all)" in said
    assert "2 at once" in said
    told = shop.type("limits", "set", "weigh", "--key", "acme", "--reset", "--json")
    assert told.json == {"operation": "weigh", "key": "acme", "limit": None}
    assert shop.type("limits", "set", "weigh", "--reset").out == "weigh: as it is declared\n"
    assert not shop.type("limits", "list", "--json").lines


def test_a_limit_for_what_nothing_vouches_for_is_noted(shop: Shell) -> None:
    told = shop.type("limits", "set", "wiegh", "--rate", "5")
    assert (told.code, told.out) == (0, "wiegh: 5 in 1 s\n")
    assert "not checked: no recent instance of shop has an operation 'wiegh'" in told.err
    assert shop.type("limits", "set", "weigh", "--reset", "--app", "shop:app").err == ""
    shop.type("limits", "set", "wiegh", "--reset")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("weigh",), 2, "--concurrency or --rate or both, or --reset alone"),
        (("weigh", "--reset", "--rate", "5"), 2, "or --reset alone"),
        (("weigh", "--rate", "5", "--per", "soon"), 2, "--per: 'soon' is no duration"),
        (("charge", "--rate", "5", "--app", "shop:app"), 2, "charge: declares no limit"),
        (("wiegh", "--rate", "5", "--app", "shop:app"), 2, "wiegh: is no operation of shop"),
        (("weigh", "--rate", "5", "--app", "nothing"), 4, "has no app 'nothing'"),
    ],
)
def test_what_cannot_be_limited(shop: Shell, words: tuple[str, ...], code: int, said: str) -> None:
    told = shop.type("limits", "set", *words)
    assert said in told.err
    assert told.code == code
