"""`--every`, `sagalog schedules`, and a schedule under `show`, `list` and `cancel`."""

import time

from tests.streams.cli.shell import Shell

EVERY_SECOND = "* * * * * *"


def every(shop: Shell, key: str, *words: str) -> str:
    told = shop.type("submit", "shop:app", "double", "21", "--key", key, *words)
    assert told.code == 0, told.err
    return told.out.strip()


def test_one_that_fires(shop: Shell) -> None:
    schedule = every(shop, "often", "--every", EVERY_SECOND)
    assert every(shop, "often", "--every", EVERY_SECOND) == schedule
    deadline = time.monotonic() + 20
    while not (shown := shop.type("show", schedule, "--json").json)["schedule"]["last"]:
        assert time.monotonic() < deadline
    assert shown["status"] == "running"
    assert shown["pending"][0]["action"] == "fire"
    assert shown["pending"][0]["at"] == shown["schedule"]["next"]
    said = shop.type("show", schedule).out
    assert said.startswith(f"double  {schedule}  scheduled\n")
    for part in ("every      * * * * * *", "key often@20", "fired", "- start double: "):
        assert part in said
    last = said.partition("key often@")[2].split()[1]
    child = shop.type("show", last).out
    assert f"schedule   sagalog show {schedule} --app shop" in child
    (line,) = [line for line in shop.type("list").out.splitlines() if schedule in line]
    assert "scheduled" in line
    assert "every * * * * * *  next " in line
    assert shop.type("cancel", schedule, "-r", "enough").code == 0
    assert shop.type("cancel", schedule).code == 1
    assert schedule not in shop.type("schedules").out
    assert "cancelled" in shop.type("schedules", "--ended").out


def test_the_list_of_them(shop: Shell) -> None:
    words = ("--every", "30 2 * * *", "--zone", "Europe/Berlin", "--catch-up", "all")
    schedule = every(shop, "nightly", *words)
    (said,) = [one for one in shop.type("schedules", "--json").lines if one["id"] == schedule]
    assert (said["key"], said["name"]) == ("nightly", "double")
    assert (said["status"], said["phase"]) == ("running", "scheduled")
    assert (said["every"], said["zone"], said["catch_up"]) == words[1::2]
    assert said["last"] is None
    assert said["next"].endswith(":30:00.000Z")
    line = next(line for line in shop.type("schedules").out.splitlines() if schedule in line)
    assert "30 2 * * * in Europe/Berlin, catching up all" in line
    assert "never" in line
    other = shop.type("submit", "shop:app", "double", "4", "--key", "nightly", *words)
    assert other.code == 1
    assert "the key is in use" in other.err
    assert every(shop, "nightly", "--every", "0 3 * * *", "--replace") == schedule
    assert "replaced" in shop.type("show", schedule).out
    shop.type("cancel", schedule)


def test_what_makes_no_sense(shop: Shell) -> None:
    told = shop.type("submit", "shop:app", "double", "21", "--every", "often")
    assert told.code == 2
    assert "every: 'often' is no cron expression" in told.err
    told = shop.type("start", "shop:app", "place-order", '{"sku": "pen"}', "--zone", "UTC")
    assert "is given without every" in told.err


def test_without_a_pod_it_is_in_the_log(shell: Shell) -> None:
    told = shell.type("submit", "shop:app", "double", "21", "--every", "0 2 * * *")
    assert told.code == 0
    assert "no pod of shop runs" in told.err
    assert shell.type("schedules").out == "No schedules.\n"
