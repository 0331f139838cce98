"""S10: a table holds what the facts up to its position fold to, row for row, byte for byte."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from sagalog.engine.position import POSITION_KEY
from sagalog.engine.rows import ROW
from sagalog.engine.table import DEFINITION_KEY
from sagalog.schemas.record import Entry, Record
from sagalog.streams.audit import Auditor
from tests.engine.orders import orders
from tests.engine.script import TERMINAL
from tests.engine.world import World, saga

Rows = dict[bytes, bytes]


def worked() -> tuple[list[Record], Rows]:
    """Facts of a true owner, and the table that it wrote; one fact stands behind its position."""
    world = World(orders())
    owner = world.own()
    world.script.on("charge", TERMINAL)
    world.ask(saga(), "turned")
    world.ask(saga(), "done")
    world.script.hold("ship")
    world.ask(saga("wide"), "open")
    world.settle()
    owner.checkpoint()
    world.ask(saga(), "later")
    world.settle()
    return world.logs["orders.events", 0], dict(world.tables["orders", 0])


def audited(records: list[Record], rows: Rows) -> list[str]:
    """What is said of a table that is found beside these facts."""
    auditor = Auditor({"orders": 1})
    found = auditor.table("orders", 0, rows)
    for record in records:
        found += auditor.read(record)
    return [str(violation) for violation in found + auditor.so_far()]


def test_a_true_table_passes() -> None:
    records, rows = worked()
    assert audited(records, rows) == []


def other_field(rows: Rows) -> None:
    state = orjson.loads(rows[b"done"])
    state[1] = "compensated"
    rows[b"done"] = orjson.dumps(state)


def other_bytes(rows: Rows) -> None:
    rows[b"done"] += b" "


def no_json(rows: Rows) -> None:
    rows[b"done"] = b"?"


def row_missing(rows: Rows) -> None:
    del rows[b"turned"]


def row_too_many(rows: Rows) -> None:
    rows[b"never"] = rows[b"done"]


def definition_missing(rows: Rows) -> None:
    del rows[next(key for key in rows if key.startswith(DEFINITION_KEY))]


def definition_too_many(rows: Rows) -> None:
    rows[DEFINITION_KEY + b"00"] = b"{}"


def definition_changed(rows: Rows) -> None:
    key = next(key for key in rows if key.startswith(DEFINITION_KEY))
    rows[key] = rows[key].replace(b"reserve", b"observe")


def position(change: Callable[[list[Any]], None]) -> Callable[[Rows], None]:
    def forge(rows: Rows) -> None:
        said = orjson.loads(rows[POSITION_KEY])
        change(said[0])
        rows[POSITION_KEY] = orjson.dumps(said)

    return forge


def ahead(mark: list[Any]) -> None:
    mark[0] += 1


def beyond(mark: list[Any]) -> None:
    mark[0] = 1000


def other_take(mark: list[Any]) -> None:
    mark[1] = 7


def other_water(mark: list[Any]) -> None:
    mark[2] = {"normal": 3}


def no_position(rows: Rows) -> None:
    del rows[POSITION_KEY]


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (other_field, "done: its row is not what its facts fold to: status"),
        (other_bytes, "done: its row is not what its facts fold to: its bytes"),
        (no_json, "done: its row is not what its facts fold to: it cannot be read"),
        (row_missing, "turned: the facts have it, and the table does not"),
        (row_too_many, "never: the table has it, and the facts do not"),
        (definition_missing, "the table has no definition"),
        (definition_too_many, "the table has ~definition/00, which no instance has"),
        (definition_changed, "is not the one of its instances"),
        (position(ahead), "the facts have it, and the table does not"),
        (position(beyond), "its checkpoint is at 1000, and the log ends at"),
        (position(other_take), "the position says 7 and"),
        (position(other_water), "the position says 0 and {'normal': 3}"),
        (no_position, "the table has rows and no position"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_forged_table_is_caught(forge: Callable[[Rows], None], said: str) -> None:
    records, rows = worked()
    forge(rows)
    found = audited(records, rows)
    assert [one for one in found if said in one and one.startswith("S10 orders")], found


def test_rows_whose_beginning_the_log_holds_no_more_are_not_judged() -> None:
    records, rows = worked()
    auditor = Auditor({"orders": 1})
    later = next(n for n, record in enumerate(records) if record.key == b"open")
    auditor.begins(("orders.events", 0), later)
    auditor.table("orders", 0, rows)
    found = [v for record in records[later:] for v in auditor.read(record)]
    assert [str(violation) for violation in found + auditor.so_far()] == []
    assert sum(auditor.tally.unjudged.values()) > 0


@pytest.mark.parametrize("offset", [-1, 0])
def test_a_row_that_another_version_could_not_read_is_not_judged(offset: int) -> None:
    """Older pods parked the instance, and this code reads it; or it is the other way round."""
    records, rows = worked()
    unread = b'{"type": "sagalog.tomorrow.v1", "subject": "done", "data": {}}'
    if offset < 0:
        last = records[-1]
        records = [*records[:-1], last._replace(key=b"done", value=unread)]
        said = orjson.loads(rows[POSITION_KEY])
        said[0][0] = len(records)
        later = {name: row for name, row in rows.items() if name != b"later"}
        rows = later | {POSITION_KEY: orjson.dumps(said)}
    else:
        state = orjson.loads(rows[b"done"])
        usual = [None] * (ROW.index("unreadable") - len(state))
        state = [*state, *usual, offset]
        rows[b"done"] = orjson.dumps(state)
    found = audited(records, rows)
    assert [one for one in found if "done" in one] == []


# -- checkpoints, as they are written


class Watched:
    """A world whose facts and checkpoints are audited as they come."""

    def __init__(self) -> None:
        self.world = World(orders())
        self.auditor = Auditor({"orders": 1}, ordered=True, checkpoints=True)
        self.found: list[str] = []
        self._read = 0

    def read(self) -> None:
        for record in self.world.logs["orders.events", 0][self._read :]:
            self.found += map(str, self.auditor.read(record))
            self._read += 1

    def checkpoint(self, rows: list[Entry]) -> None:
        self.read()
        self.found += map(str, self.auditor.checkpoint("orders", 0, rows))


def test_checkpoints_that_lag_behind_the_facts_pass() -> None:
    watched = Watched()
    first = watched.world.own()
    watched.world.ask(saga(), "a")
    for _ in range(12):
        first.turn()
        watched.checkpoint(first.partition.checkpoint())
    watched.world.ask(saga(), "b")
    first.turn()
    rows = first.partition.checkpoint()
    first.turn()
    watched.checkpoint(rows)
    second = watched.world.own()
    watched.world.settle()
    watched.checkpoint(second.partition.checkpoint())
    assert watched.found == []
    assert watched.auditor.tally.rows > 10


def test_a_checkpoint_of_a_former_owner_is_caught() -> None:
    watched = Watched()
    first = watched.world.own()
    watched.world.ask(saga(), "a")
    first.turn()
    old = first.partition.checkpoint()
    second = watched.world.own()
    watched.world.settle()
    watched.checkpoint(second.partition.checkpoint())
    watched.checkpoint(old)
    assert [one for one in watched.found if one.startswith("O4 orders: a checkpoint goes back")]


def test_a_row_that_a_checkpoint_forgot_is_caught() -> None:
    watched = Watched()
    owner = watched.world.own()
    watched.world.ask(saga(), "a")
    watched.world.ask(saga(), "b")
    watched.world.settle()
    watched.checkpoint([row for row in owner.partition.checkpoint() if row.key != b"b"])
    assert [one for one in watched.found if one.startswith("S10 orders: b: the facts have it")]
