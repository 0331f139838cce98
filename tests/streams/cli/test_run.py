"""`sagalog run`: a pod, its signals, and what keeps it from starting."""

import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from tests.streams.cli.shell import Shell


def test_it_says_what_it_has_and_ends_in_order(shell: Shell) -> None:
    with shell.running("run", "shop:app", "--member", "pod-a") as pod:
        line = pod.says("shop runs here")
        assert "partitions=0-3" in line
        assert "member=pod-a" in line
        pod.send(signal.SIGINT)
        ended = pod.ended()
    assert ended.code == 0
    assert "SIGINT: ending in order" in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""


def test_sigterm_ends_it_in_order_too(shell: Shell) -> None:
    with shell.pod() as pod:
        pod.send(signal.SIGTERM)
        assert pod.ended().code == 0


def test_json_tells_of_partitions_for_scripts(shell: Shell) -> None:
    with shell.running("run", "shop:app", "--json", "--log-json") as pod:
        pod.takes(0, 1, 2, 3)
        pod.send(signal.SIGTERM)
        ended = pod.ended()
    assert all(line.startswith("{") for line in ended.err.splitlines())


def test_a_second_ctrl_c_ends_it_at_once(shell: Shell) -> None:
    with shell.pod() as pod:
        order = '{"sku": "a", "mode": "slow"}'
        instance = shell.type("start", "shop", "place-order", order, "--no-wait").out.strip()
        while "step completed" not in shell.type("show", instance).out:
            pass
        pod.send(signal.SIGINT)
        pod.says("SIGINT: ending in order")
        # It takes a repeat within a moment for the first, and its handler does not end.
        while pod.process.poll() is None:
            pod.send(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                pod.process.wait(0.05)
        assert pod.process.returncode == 130


def test_what_was_running_runs_again_after_a_kill(shell: Shell) -> None:
    gate = shell.folder / "gate"
    order = f'{{"sku": "a", "mode": "slow", "gate": "{gate}"}}'
    with shell.pod() as pod:
        instance = shell.type("start", "shop", "place-order", order, "--no-wait").out.strip()
        pod.send(signal.SIGKILL)
        pod.process.wait()
    gate.touch()
    with shell.pod():
        again = shell.type("start", "shop", "place-order", order, "--key", "k")
        assert again.code == 0
        shown = shell.type("show", instance, "--json").json
    assert shown["status"] == "completed"


def test_a_second_process_on_the_file_is_told_who_has_it(shell: Shell) -> None:
    with shell.pod("--member", "first") as pod:
        refused = shell.run("run", "shop:app")
        assert refused.code == 6
        assert f"owned by pid {pod.process.pid} (member first" in refused.err
        assert "--wait" in refused.err


def test_a_second_process_may_wait_for_the_first_to_end(shell: Shell) -> None:
    with shell.pod() as first, shell.running("run", "shop:app", "--json", "--wait") as second:
        second.says("waiting for the owner to end")
        first.send(signal.SIGKILL)
        second.takes(0, 1, 2, 3)


def test_waiting_for_the_first_to_end_ends_by_ctrl_c(shell: Shell) -> None:
    with shell.pod(), shell.running("run", "shop:app", "--wait") as second:
        second.says("waiting for the owner to end")
        second.send(signal.SIGINT)
        assert second.ended().code == 0


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("shop", "'shop' names no app. Write MODULE:APP"),
        (":app", "names no app"),
        ("nothing:app", "there is no module 'nothing' in"),
        ("nothing.inside:app", "there is no module 'nothing.inside' in"),
        ("shop:no_app", "shop:no_app is no App but int. It has: app"),
        ("shop:missing", "shop has no app 'missing'. It has: app"),
        ("broken:app", "broken cannot be imported: ValueError: no luck ("),
        ("odd:app", "odd cannot be imported: invalid syntax"),
        ("needy:app", "needy cannot be imported: ModuleNotFoundError: No module named 'stripe'"),
        ("leaver:app", "leaver ended the program when it was imported"),
        ("twice:app", "twice cannot be imported: shop.one: is declared twice"),
    ],
)
def test_an_app_that_cannot_be_had(shell: Shell, target: str, said: str) -> None:
    for name, text in {
        "broken": "x = 1\nraise ValueError('no luck')\n",
        "odd": "def :\n",
        "needy": "import stripe\n",
        "leaver": "raise SystemExit(3)\n",
        "twice": "from sagalog.engine import App\na = App('shop')\n"
        "@a.operation\ndef one(): ...\n@a.operation\ndef one(): ...\n",
    }.items():
        Path(f"{name}.py").write_text(text)
    told = shell.type("run", target)
    assert told.code == 2
    assert told.err.startswith("Error: ")
    assert said in told.err
    assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("postgres://x", 5, "is no address of a log"),
        ("kafka:", 5, "is no Kafka address"),
        ("sqlite:/nowhere/at/all.db", 5, "/nowhere/at/all.db"),
    ],
)
def test_a_log_that_cannot_be_had(shell: Shell, url: str, code: int, said: str) -> None:
    told = shell.type("run", "shop:app", "--url", url)
    assert told.code == code
    assert said in told.err
    assert "Traceback" not in told.err


def test_a_broker_that_is_away_is_waited_for(shell: Shell) -> None:
    away = Shell(shell.folder, {"SAGALOG_KAFKA_OPEN_TIMEOUT": "0.2"})
    with away.running("run", "shop:app", "--url", "kafka://127.0.0.1:9") as pod:
        assert "no broker answers at 127.0.0.1:9" in pod.says("the log is away, trying again")
        pod.says("the log is away, trying again")
        pod.send(signal.SIGINT)
        assert pod.ended().code == 0


def test_wrong_settings_are_named(shell: Shell) -> None:
    told = Shell(shell.folder, {"SAGALOG_SLOTS": "many"}).type("run", "shop:app")
    assert told.code == 2
    assert "SAGALOG_SLOTS=many: " in told.err
