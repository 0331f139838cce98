"""Old code meets a log of a later version (C2): it parks what it cannot read, and nothing else."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from sagalog.engine.errors import Impossible
from sagalog.engine.partition import Partition
from sagalog.schemas import codec
from sagalog.schemas.deadletters import PoisonRecord
from sagalog.schemas.envelope import Envelope, Unknown
from sagalog.schemas.ids import instance_id
from sagalog.schemas.record import Record
from tests.histories.canonical import dumps
from tests.histories.replay import Fold, Successor
from tests.histories.shop import Script, orders
from tests.histories.tape import Tape
from tests.histories.tomorrow import REQUEST, record, recorded, tomorrow

HISTORY = recorded()
EVENTS = HISTORY.records("orders.events")
THENS = HISTORY.thens("orders", 0)
MOVED, LEFT = instance_id("", "brief", "moved"), instance_id("", "brief", "left")
(AT,) = [r.offset for r in EVENTS if isinstance(codec.decode(r.value), Unknown)]
LAST = {then["instance"]: then for then in THENS.values()}


def differing(fold: Fold, records: list[Record]) -> Iterator[tuple[int, str]]:
    """The facts behind which an instance is not as that version had it."""
    for fact in records:
        then = fold.then(fact, HISTORY.layout)
        if dumps(then) != dumps(THENS[fact.offset]):
            yield fact.offset, then["instance"]


def test_its_log_has_what_nobody_knows_today() -> None:
    assert EVENTS[AT].key == MOVED.encode()
    assert all(b'"novelty"' in (r.value or b"") for r in EVENTS)
    assert [r for r in HISTORY.records("orders.normal") if REQUEST in str(r.value)]


def test_exactly_the_instance_of_the_unknown_fact_is_parked() -> None:
    fold = Fold("orders", 0, 1)
    wrong = list(differing(fold, EVENTS))
    assert {instance for _, instance in wrong} == {MOVED}
    assert min(offset for offset, _ in wrong) == AT
    states = dict(fold.partition.table.live())
    assert states[MOVED].unreadable == AT
    assert fold.how(MOVED, HISTORY.layout)["wants"] == []
    assert fold.partition.counters["parked"] == 1


def test_an_unknown_fact_that_is_about_no_instance_is_passed_over() -> None:
    fold = Fold("orders", 0, 1)
    value = orjson.dumps({"type": "sagalog.partition.split.v1", "subject": "~orders/0", "data": {}})
    fold.partition.fold([Record("orders.events", 0, 0, 1, b"~orders/0", value)], 1)
    assert (fold.partition.position, len(fold.partition.table)) == (1, 0)
    assert fold.partition.counters.total() == 0


def test_unknown_fields_change_nothing() -> None:
    fold = Fold("orders", 0, 1)
    assert [i for _, i in differing(fold, EVENTS) if i != MOVED] == []


def test_its_owner_does_nothing_for_it_and_all_else() -> None:
    successor = Successor(orders(Script(Tape())), 0, 1, {})
    now = EVENTS[AT].timestamp
    starts = successor.take(EVENTS[: AT + 1], {}, now)
    successor.read(
        (r for r in HISTORY.records("orders.normal") if r.offset >= starts["normal"]), now
    )
    asked = successor.asked()
    assert {call.instance for call in asked.calls} == {LEFT}
    said = [orjson.loads(append.entry.value or b"") for append in asked.appends]
    assert MOVED not in {message["subject"] for message in said}


def test_an_unknown_request_goes_to_the_dead_letters_whole() -> None:
    successor = Successor(orders(Script(Tape())), 0, 1, {})
    now = EVENTS[-1].timestamp
    successor.take(EVENTS, {}, now)
    (request,) = [r for r in HISTORY.records("orders.normal") if REQUEST in str(r.value)]
    successor.read([request], now)
    messages = [codec.decode(append.entry.value) for append in successor.asked().appends]
    letters = [m.data for m in messages if isinstance(m, Envelope)]
    (letter,) = [data for data in letters if isinstance(data, PoisonRecord)]
    assert letter.entry().value == request.value
    assert REQUEST in letter.reason


@pytest.mark.parametrize("seen", range(AT + 1, len(EVENTS) + 1))
def test_code_that_knows_the_type_folds_on(seen: int) -> None:
    """Whenever the partition passes from today's code to that version's."""
    owner = Partition(orders(Script(Tape())), 0, 1, "today")
    owner.restore({}, 0, seen)
    owner.fold(EVENTS[:seen], 0)
    rows = {row.key: row.value for row in owner.checkpoint() if row.key and row.value}
    with tomorrow():
        fold = Fold("orders", 0, 1, rows, end=len(EVENTS))
        assert fold.start == AT
        for fact in EVENTS[fold.start :]:
            fold.then(fact, HISTORY.layout)
        hows = {name: fold.how(name, HISTORY.layout) for name in LAST}
    assert dumps(hows) == dumps(LAST)


def test_that_version_s_own_code_reads_it_as_it_did() -> None:
    with tomorrow():
        assert list(differing(Fold("orders", 0, 1), EVENTS)) == []


def test_and_records_it_again() -> None:
    again = record().thens("orders", 0)
    assert [how(then) for then in again.values()] == [how(then) for then in THENS.values()]


def how(then: dict[str, Any]) -> str:
    return str(then["state"] and then["state"]["status"])


def left_by_its_owner(news: bytes) -> dict[bytes, bytes]:
    """The table of that version's owner, with news in the row of the moved instance."""
    rows = next(at.rows for at in HISTORY.checkpoints() if MOVED.encode() in at.rows)
    return dict(rows) | {MOVED.encode(): news + rows[MOVED.encode()][1:]}


def test_a_row_that_its_owner_left_parks_its_instance_and_stays_as_it_is() -> None:
    fold = Fold("orders", 0, 1, left_by_its_owner(b"[2,"), end=len(EVENTS))
    wrong = {instance for _, instance in differing(fold, EVENTS[fold.start :])}
    assert wrong == {MOVED}
    assert fold.how(MOVED, HISTORY.layout)["wants"] == []
    assert MOVED.encode() not in {row.key for row in fold.partition.checkpoint()}


def test_garbage_in_a_row_stops_the_partition_all_the_same() -> None:
    with pytest.raises(Impossible):
        Fold("orders", 0, 1, left_by_its_owner(b'["garbage",'), end=len(EVENTS))
