"""`sagalog workers`: who works on an app, and stopping one."""

from tests.streams.cli.shell import Running, Shell


def seen(shell: Shell) -> list[dict[str, object]]:
    while not (found := shell.type("workers", "list", "--json").lines):
        pass
    return found


def test_a_pod_is_listed_with_what_it_runs(shell: Shell) -> None:
    shell.type("submit", "shop:app", "double", "4", "--no-wait")
    assert shell.type("workers", "list").out == "Nobody works on it.\n"
    slow = Shell(shell.folder, {"SAGALOG_BEAT_INTERVAL": "0.05"})
    with slow.pod("--member", "shop-1") as pod:
        order = '{"sku": "pen", "mode": "slow", "gate": "open"}'
        instance = shell.type("start", "shop", "place-order", order, "--no-wait").out.strip()
        while not (worker := seen(shell)[0])["running"]:
            pass
        assert (worker["name"], worker["state"], worker["pid"]) == (
            "shop-1",
            "working",
            pod.process.pid,
        )
        assert worker["partitions"] == [0, 1, 2, 3]
        said = shell.type("workers", "list").out
        assert f"charge of {instance} for" in said
        assert said.splitlines()[-1] == "1 working"
        (shell.folder / "open").touch()


def test_one_is_drained_and_stays_idle(shell: Shell) -> None:
    with shell.pod("--member", "shop-1") as pod:
        seen(shell)
        said = shell.type("workers", "drain", "shop-2")
        assert said.code == 3
        assert said.err == "Error: shop has no worker 'shop-2'. Did you mean 'shop-1'?\n"
        told = shell.type("workers", "drain", "shop-1", "--reason", "a new kernel", "--json")
        assert told.code == 0, told.err
        assert (told.json["state"], told.json["partitions"]) == ("drained", [])
        pod.says("drained: no more work")
        _gives_its_partitions_to_another(shell, pod)


def _gives_its_partitions_to_another(shell: Shell, pod: Running) -> None:
    with shell.pod("--member", "shop-2"):
        assert shell.type("submit", "shop", "double", "4").code == 0
    assert pod.process.poll() is None


def test_one_that_is_killed_is_gone_and_cannot_hear(shell: Shell) -> None:
    quick = Shell(shell.folder, {"SAGALOG_BEAT_INTERVAL": "0.05"})
    with quick.pod("--member", "shop-1"):
        seen(shell)
    while seen(shell)[0]["state"] != "gone":
        pass
    assert shell.type("workers", "list").out.splitlines()[-1] == "1 gone"
    said = shell.type("workers", "drain", "shop-1")
    assert said.code == 1
    assert "it cannot hear" in said.err
