"""`sagalog start` and `submit`: with code, by name, and what can be wrong with the input."""

import json
import signal
from pathlib import Path

import pytest

from tests.streams.cli.shell import Shell

PEN = '{"sku": "pen"}'


def test_a_saga_that_completes(shop: Shell) -> None:
    told = shop.type("start", "shop:app", "place-order", PEN)
    assert told.code == 0
    assert told.out.startswith("completed  place-order  ")
    assert 'charge   {"receipt":"r-1"}' in told.out


def test_the_name_of_the_app_is_enough(shop: Shell) -> None:
    told = shop.type("start", "shop", "place-order", PEN, "--json")
    assert told.code == 0
    assert told.json["status"] == "completed"
    assert told.json["result"]["ship"] == "parcel"


def test_a_saga_that_turns_back(shop: Shell) -> None:
    told = shop.type("start", "shop", "place-order", '{"sku": "pen", "mode": "declined"}')
    assert told.code == 1
    assert told.out.startswith("compensated  place-order  ")
    assert "Terminal: card declined" in told.out
    assert "sagalog show" in told.out


def test_an_operation_alone(shop: Shell) -> None:
    assert shop.type("submit", "shop:app", "double", "21").out.endswith("\n42\n")
    dead = shop.type("submit", "shop", "double", "--json", "--", "-21")
    assert dead.code == 1
    assert dead.json["status"] == "dead"
    assert dead.json["error"]["message"] == "-21 is negative [today]"


@pytest.mark.parametrize("way", ["stdin", "file"])
def test_the_input_from_elsewhere(shop: Shell, way: str, tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text(PEN)
    words = ["-"] if way == "stdin" else ["--input-file", str(tmp_path / "order.json")]
    assert shop.type("start", "shop", "place-order", *words, stdin=PEN).code == 0


def test_a_repeat_finds_its_first_and_another_input_is_a_conflict(shop: Shell) -> None:
    first = shop.type("start", "shop", "place-order", PEN, "--key", "k1", "--json").json
    again = shop.type("start", "shop", "place-order", PEN, "--key", "k1", "--json").json
    assert again == first
    other = shop.type("start", "shop", "place-order", '{"sku": "ink"}', "--key", "k1")
    assert other.code == 1
    assert f"the key is in use: {first['id']} was started with it" in other.err


def test_no_wait_prints_the_id_alone(shop: Shell) -> None:
    told = shop.type("start", "shop", "place-order", PEN, "--no-wait", "--priority", "high")
    assert told.code == 0
    assert shop.type("show", told.out.strip()).code == 0
    told = shop.type("start", "shop", "place-order", PEN, "--no-wait", "--json")
    assert told.json["status"] == "requested"


def test_waiting_has_an_end(shop: Shell) -> None:
    slow = '{"sku": "pen", "mode": "slow"}'
    told = shop.type("start", "shop", "place-order", slow, "--timeout", "200ms")
    assert told.code == 1
    assert "has not ended within 0.2 s. It goes on" in told.err


def test_a_deadline_turns_it_back(shop: Shell) -> None:
    slow = '{"sku": "pen", "mode": "later"}'
    hourly = shop.type("start", "shop", "hourly", slow, "--deadline", "50ms")
    assert hourly.code == 1
    assert "Deadline: the deadline passed" in hourly.out


def test_ctrl_c_while_waiting_leaves_it_running(shop: Shell) -> None:
    slow = '{"sku": "pen", "mode": "slow"}'
    with shop.running("start", "shop", "place-order", slow) as waiting:
        waiting.says("has not ended yet. Ctrl-C leaves it running")
        waiting.send(signal.SIGINT)
        ended = waiting.ended()
    assert ended.code == 130
    assert ended.err == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["shop:app", "place-ordr", PEN], "no saga or operation 'place-ordr'. Did you mean"),
        (["shop:app", "nothing", PEN], "no saga or operation 'nothing'. It has: place-order,"),
        (["shop:app", "place-order", '{"skuu": 1}'], "reserve: sku: Field required"),
        (["shop:app", "place-order", "pen"], """A text needs its quotes: '"pen"'"""),
        (["shop:app", "place-order", "{"], "the input is not JSON"),
        (["shop:app", "place-order", "-i", "none.json"], "none.json cannot be read: No such file"),
        (["shop:app", "place-order", PEN, "-i", "x"], "the input is given twice"),
        (["shop:app"], "which saga? Give its NAME"),
        (["shop:app", "place-order", PEN, "--deadline", "soon"], "--deadline: 'soon' is no dur"),
        (["shop:app", "place-order", f'"{"x" * 900_000}"'], "bytes as JSON, over the limit of"),
        (["no/name", "place-order", PEN], "app 'no/name': is no name"),
    ],
)
def test_wrong_input_sends_nothing(shop: Shell, words: list[str], said: str) -> None:
    before = len(shop.type("list", "--limit", "0", "--json").lines)
    told = shop.type("start", *words)
    assert told.code == 2
    assert said in told.err
    assert len(shop.type("list", "--limit", "0", "--json").lines) == before


def test_what_the_app_refuses_is_told(shop: Shell) -> None:
    told = shop.type("start", "shop", "nothing", PEN)
    assert told.code == 1
    assert "refused: nothing: shop has no saga or operation of this name" in told.err


def test_an_app_or_a_log_that_is_not_there_is_not_made(shell: Shell) -> None:
    told = shell.type("start", "shop", "place-order", PEN)
    assert told.code == 3
    assert "there is no log" in told.err
    assert not list(shell.folder.glob("sagalog.db*"))


def test_another_app_on_the_same_log(shop: Shell) -> None:
    told = shop.type("start", "shopp", "place-order", PEN)
    assert told.code == 4
    assert "has no app 'shopp'" in told.err
    assert "sagalog topics create shopp" in told.err


def test_without_a_pod_it_says_so_and_is_not_lost(shell: Shell) -> None:
    with shell.running("start", "shop:app", "place-order", PEN, "--json") as waiting:
        line = waiting.says("no pod of shop runs")
        assert "sagalog run MODULE:APP" in line
        with shell.pod():
            ended = waiting.ended()
    assert json.loads(ended.out)["status"] == "completed"


def test_what_is_for_later_is_listed_with_its_time_and_can_be_cancelled(shop: Shell) -> None:
    asked = ("submit", "shop", "double", "21", "--delay", "2h", "--no-wait")
    instance = shop.type(*asked).out.strip()
    shop.type("submit", "shop", "double", "1")
    told = shop.type("list", "--app", "shop", "--status", "scheduled", "--json")
    assert [line["id"] for line in told.lines] == [instance]
    assert "in 1 h 59 m" in shop.type("list", "--app", "shop").out
    shop.type("cancel", instance, "--app", "shop")
    assert "1 cancelled" in shop.type("list", "--app", "shop").out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--delay", "soon"), "--delay: 'soon' is no duration"),
        (("--at", "noon"), "--at: 'noon' is no time. Write 2026-11-22T17:30"),
        (("--at", "2030-01-01T00:00", "--delay", "1s"), "at: is given together with delay"),
    ],
)
def test_a_time_that_makes_no_sense_is_refused(
    shop: Shell, words: tuple[str, ...], sentence: str
) -> None:
    told = shop.type("submit", "shop", "double", "21", *words)
    assert told.code == 2
    assert sentence in told.err


def test_what_waited_too_long_ends_as_cancelled(shop: Shell) -> None:
    kept = ("submit", "shop", "double", "21", "--queue-limit", "1h", "--keep", "1h", "--json")
    assert shop.type(*kept).json["status"] == "completed"
