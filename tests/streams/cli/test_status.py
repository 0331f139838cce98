"""`sagalog status`: an app's lanes, operations and tenants."""

import signal

from tests.streams.cli.shell import Shell


def test_a_queue_that_nobody_works_on(shell: Shell) -> None:
    shell.type("submit", "shop:app", "double", "4", "--no-wait", "--priority", "low")
    status = shell.type("status", "--interval", "10ms", "--json").json
    (low,) = [lane for lane in status["lanes"] if lane["lane"] == "low"]
    assert low["depth"] == 1
    assert low["oldest_wait"] >= 0
    assert (low["rate_in"], low["rate_out"], low["in_flight"]) == (0, 0, 0)
    assert status["operations"] == {"double": {"queued": 1}}
    assert status["total"] == {"queued": 1}


def test_the_same_for_people(shell: Shell) -> None:
    shell.type("submit", "shop:app", "double", "4", "--no-wait")
    said = shell.type("status", "--interval", "0").out.splitlines()
    assert said[0].startswith("shop  ")
    assert said[2].split() == ["lane", "depth", "oldest", "wait", "in/s", "out/s", "in", "flight"]
    assert said[3].split() == ["high", "0", "0"]
    assert said[4].split()[:2] == ["normal", "1"]
    assert said[8].split() == ["operation", "queued"]
    assert said[9].split() == ["double", "1"]


def test_what_has_ended_lately_is_counted(shop: Shell) -> None:
    shop.type("submit", "shop:app", "double", "4")
    said = shop.type("status", "--interval", "0", "--lately", "10m").out
    assert "of what has ended, the last 10 m 00 s" in said
    shop.type("submit", "shop:app", "double", "--", "-4")
    counts = shop.type("status", "--interval", "0", "--json").json["operations"]["double"]
    assert counts == {"dead": 1, "completed": 1}


def test_it_looks_again_and_again(shop: Shell) -> None:
    with shop.running("status", "--watch", "--json", "--interval", "50ms") as watching:
        assert watching.process.stdout is not None
        looks = [watching.process.stdout.readline() for _ in range(3)]
        watching.send(signal.SIGINT)
        ended = watching.ended()
    assert all('"lanes"' in look for look in looks)
    assert ended.code == 130
    assert ended.err == ""


def test_mistakes_are_told(shell: Shell) -> None:
    assert "there is no log" in shell.type("status").err
    shell.type("submit", "shop:app", "double", "4", "--no-wait")
    assert "has no app 'stall'" in shell.type("status", "--app", "stall").err
    said = shell.type("status", "--watch", "--interval", "0")
    assert (said.code, said.err) == (2, "Error: --watch needs an --interval above 0.\n")


def test_a_lane_over_the_limit_is_a_sentence_and_a_code_of_its_own(shell: Shell) -> None:
    shell.type("submit", "shop:app", "double", "4", "--no-wait")
    limited = Shell(shell.folder, {"SAGALOG_BACKLOG_LIMIT": "1"})
    said = limited.type("submit", "shop:app", "double", "5", "--no-wait")
    assert said.code == 7
    assert said.err == (
        "Error: the lane normal holds 1 requests, over the limit of 1: nothing was sent. "
        "Try again in 5 s.\n"
    )
    assert said.out == ""
