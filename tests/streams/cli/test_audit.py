"""`sagalog audit`: what it says of a log, and how it ends."""

import asyncio

import pytest

from sagalog.schemas.codec import encode
from sagalog.schemas.deadletters import PoisonRecord
from sagalog.schemas.record import Entry
from sagalog.streams.embedded import EmbeddedLog
from tests.streams.cli.shell import Said, Shell


def rested(shell: Shell, *words: str) -> Said:
    """The audit, as soon as what has ended is checkpointed and committed."""
    while (said := shell.type("audit", "shop", *words)).code and "L" in said.out:
        pass
    return said


def start(shop: Shell, mode: str, key: str) -> str:
    order = f'{{"sku": "pen", "mode": "{mode}"}}'
    told = shop.type("start", "shop", "place-order", order, "--json", "--key", key)
    instance: str = told.json["id"]
    return instance


def test_a_true_log_keeps_every_promise(shop: Shell) -> None:
    start(shop, "", "a")
    start(shop, "declined", "b")
    start(shop, "park", "c")
    said = rested(shop)
    assert said.code == 0, said.out
    assert said.out.startswith("shop  every promise is kept\n")
    assert "1 compensated, 1 completed, 1 stuck" in said.out
    assert "Violations" not in said.out
    document = rested(shop, "--json").json
    assert document["clean"] is True
    assert document["looked_at"]["ended"] == {"completed": 1, "compensated": 1, "stuck": 1}
    assert document["violations"] == []


def test_work_under_way_is_audited_live(shop: Shell) -> None:
    order = '{"sku": "pen", "mode": "later"}'
    instance = shop.type("start", "shop", "hourly", order, "--no-wait").out.strip()
    while not shop.type("list", "--status", "running", "--json").lines:
        pass
    said = rested(shop, "--live")
    assert said.code == 0, said.out
    said = shop.type("audit", "shop")
    assert said.code == 1
    assert f"L1 shop: {instance}: it is running, and has not ended" in said.out
    assert said.out.endswith("Is work under way? Then audit with --live.\n")
    shop.type("cancel", instance)


async def forge(shell: Shell) -> None:
    """Somebody writes a dead letter of a record that there never was."""
    log = EmbeddedLog(shell.folder / "sagalog.db")
    await log.open()
    bad = await log.append("shop.normal", 0, [Entry(b"k", b"no json")])
    letter = PoisonRecord("shop.normal", 0, bad, 0, None, None, (), "planted")
    id_ = f"shop.normal/0/{bad}"
    value = encode(letter, id=id_, source="somebody", subject=id_, now=0)
    await log.append("shop.deadletters", 0, [Entry(b"k", value)])
    await log.close()


def test_a_violation_is_told_with_its_letter_and_place(shell: Shell) -> None:
    with shell.pod():
        instance = start(shell, "", "a")
    asyncio.run(forge(shell))
    said = shell.type("audit", "shop", "--live")
    assert said.code == 1
    assert "shop  1 violation\n" in said.out
    assert "S9 shop: the dead letter of shop.normal/0/" in said.out
    (found,) = shell.type("audit", "shop", "--live", "--json").json["violations"]
    assert found["letter"] == "S9"
    assert [place["topic"] for place in found["places"]] == ["shop.normal", "shop.deadletters"]
    journal = shell.folder / "journal"
    line = f'["begin",1,1,"reserve","{instance}","reserve","forward",1,"another key"]\n'
    journal.write_text(line)
    said = shell.type("audit", "shop", "--live", "--journal", str(journal))
    assert "was called with the key another key, which is not its own" in said.out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["other"], 4, "has no app 'other'"),
        (["shop", "--journal", "none"], 2, "--journal: there is no file none"),
        (["shop", "--journal", "shop.py"], 2, "line 1 is no call of a journal"),
        (["shop", "--url", "sqlite:none.db"], 3, "there is no log"),
    ],
)
def test_what_cannot_be_audited(shop: Shell, words: list[str], code: int, said: str) -> None:
    told = shop.type("audit", *words)
    assert told.code == code
    assert said in told.err
    assert told.out == ""
