"""The table: what it holds, what it writes, and in which order instances may leave."""

from collections.abc import Iterable

import pytest

from sagalog.engine.errors import Impossible
from sagalog.engine.instance import Instance
from sagalog.engine.pending import pending
from sagalog.engine.table import Table
from sagalog.schemas.record import Entry
from tests.engine.lives import STATUSES, Life, completed, done, refused

STATES = {name: make().state for name, make in STATUSES.items()}
LIVE, ENDED = Life().then(done("a")).state, completed().state


def ended(at: int, retention: int = 0) -> Instance:
    return ENDED._replace(ended_at=at, retention=retention)


def rows(entries: Iterable[Entry]) -> dict[bytes, bytes]:
    return {e.key: e.value for e in entries if e.key is not None and e.value is not None}


def restored(table: Table) -> Table:
    again = Table()
    again.restore(rows(table.changes()))
    return again


def table_of(**states: Instance) -> Table:
    table = Table()
    for name, state in states.items():
        table.put(name, state, new=True)
    return table


class TestHolding:
    @pytest.mark.parametrize("state", STATES.values(), ids=STATES)
    def test_a_state_comes_back_as_it_was_put(self, state: Instance) -> None:
        table = table_of(a=state)
        assert table.get("a") == state
        assert len(table) == 1

    @pytest.mark.parametrize("state", STATES.values(), ids=STATES)
    def test_and_after_a_restore(self, state: Instance) -> None:
        assert restored(table_of(a=state)).get("a") == state

    def test_what_is_not_there_is_none(self) -> None:
        assert Table().get("a") is None

    def test_what_has_left_is_gone(self) -> None:
        for state in (LIVE, ENDED):
            table = table_of(a=state, b=LIVE)
            table.remove("a")
            assert (table.get("a"), len(table)) == (None, 1)

    def test_the_live_ones_are_those_that_may_want_something(self) -> None:
        table = table_of(a=LIVE, b=ENDED, c=STATES["unreadable"], d=STATES["completed child"])
        assert {name for name, _ in table.live()} == {"a", "c", "d"}
        assert {name for name, _ in restored(table).live()} == {"a", "c", "d"}

    def test_an_unreadable_one_is_live_though_it_has_ended(self) -> None:
        parked = ENDED._replace(unreadable=99)
        table = table_of(a=parked)
        assert dict(table.live()) == {"a": parked}
        assert dict(restored(table).live()) == {"a": parked}


class TestWriting:
    def test_a_change_is_written_once(self) -> None:
        table = table_of(a=LIVE)
        table.put("a", LIVE._replace(error=None, key="k"), new=False)
        assert [e.key for e in table.changes() if e.key == b"a"] == [b"a"]
        assert table.changes() == []
        assert table.dirty == 0

    def test_dirty_counts_what_would_be_written(self) -> None:
        table = table_of(a=LIVE, b=LIVE)
        assert table.dirty == 2

    def test_what_has_left_is_written_as_a_tombstone(self) -> None:
        table = table_of(a=ENDED)
        table.changes()
        table.remove("a")
        assert Entry(b"a", None) in table.changes()

    def test_what_came_and_left_between_two_checkpoints_leaves_no_row(self) -> None:
        table = table_of(a=ENDED)
        table.remove("a")
        assert rows(table.changes()) == {}

    def test_the_definition_goes_with_its_last_user(self) -> None:
        table = table_of(a=ENDED)
        kept = rows(table.changes())
        table.remove("a")
        for entry in table.changes():
            assert entry.key is not None
            assert entry.value is None
            del kept[entry.key]
        assert kept == {}

    def test_a_definition_that_comes_back_is_written_again(self) -> None:
        table = table_of(a=ENDED)
        table.changes()
        table.remove("a")
        table.put("b", LIVE, new=True)
        again = Table()
        again.restore(rows(table.changes()))
        assert again.get("b") == LIVE


class TestLeaving:
    def test_what_has_been_kept_long_enough_leaves_in_the_order_of_its_end(self) -> None:
        table = table_of(a=ended(100), b=ended(200), c=ended(300))
        assert table.leaving(100) == []
        assert table.leaving(201) == ["a", "b"]
        assert table.leaving(201) == []
        assert table.leaving(999) == ["c"]

    def test_each_is_kept_as_long_as_it_says(self) -> None:
        table = table_of(a=ended(100, 1000), b=ended(200, 0))
        assert table.leaving(500) == ["b"]
        assert table.leaving(1101) == ["a"]

    def test_what_is_not_done_with_stays(self) -> None:
        table = table_of(a=LIVE, b=STATES["completed child"], c=STATES["unreadable"])
        assert table.leaving(10**15) == []

    def test_so_it_is_after_a_restore(self) -> None:
        table = restored(table_of(c=ended(300), a=ended(100), b=ended(200), d=LIVE))
        assert table.leaving(250) == ["a", "b"]
        assert table.leaving(999) == ["c"]

    def test_one_that_lives_again_stays_until_its_next_end(self) -> None:
        table = table_of(a=ended(100))
        table.put("a", LIVE, new=False)
        assert table.leaving(500) == []
        table.put("a", ended(600), new=False)
        assert table.leaving(500) == []
        assert table.leaving(601) == ["a"]

    def test_one_that_ends_again_holds_up_nobody_and_leaves_once(self) -> None:
        table = table_of(a=ended(100))
        table.put("a", LIVE, new=False)
        table.put("b", ended(200), new=True)
        table.put("a", ended(600), new=False)
        assert table.leaving(500) == ["b"]
        assert table.leaving(999) == ["a"]

    def test_a_new_life_under_the_same_id_leaves_in_its_own_time(self) -> None:
        table = table_of(a=ended(100))
        assert table.leaving(101) == ["a"]
        table.remove("a")
        table.put("a", ended(500), new=True)
        assert table.leaving(400) == []
        assert table.leaving(501) == ["a"]


@pytest.mark.parametrize(
    "broken",
    [
        {b"a": b"no JSON"},
        {b"a": b"{}"},
        {b"a": b"[]"},
        {b"\xff": b"[]"},
        {b"~definition/x": b"{}"},
    ],
)
def test_a_row_that_cannot_be_read_stops_the_restore(broken: dict[bytes, bytes]) -> None:
    with pytest.raises(Impossible):
        Table().restore(rows(table_of(z=LIVE).changes()) | broken)


class TestRowsOfALaterVersion:
    def of_another_kind(self) -> dict[bytes, bytes]:
        kept = rows(table_of(a=LIVE, b=ENDED, c=LIVE).changes())
        kept[b"a"] = b"[2," + kept[b"a"][1:]
        return kept

    @pytest.mark.parametrize("news", [b'"delay":7,"undo":', b'"exhausted":"ask","undo":'])
    def test_a_definition_makes_one_of_every_row_that_has_it(self, news: bytes) -> None:
        kept = rows(table_of(a=LIVE, b=refused().state).changes())
        for key in kept:
            if key.startswith(b"~"):
                kept[key] = kept[key].replace(b'"undo":', news, 1)
        table = Table()
        table.restore(kept)
        assert table.later == {"a"}
        assert table.get("b") == refused().state

    def test_one_parks_its_instance_and_no_other(self) -> None:
        table = Table()
        table.restore(self.of_another_kind())
        assert table.later == {"a"}
        parked = table.get("a")
        assert parked is not None
        assert parked.unreadable >= 0
        assert pending(parked) == []
        assert (table.get("b"), table.get("c")) == (ENDED, LIVE)

    def test_it_is_never_written_and_what_it_needs_is_never_deleted(self) -> None:
        kept, table = self.of_another_kind(), Table()
        table.restore(kept)
        table.remove("b")
        table.remove("c")
        assert sorted(table.changes()) == [Entry(b"b", None), Entry(b"c", None)]


def test_rows_of_the_partition_that_nobody_knows_are_passed_over_and_left_alone() -> None:
    table = Table()
    table.restore(rows(table_of(a=LIVE).changes()) | {b"~novelty": b"whatever"})
    assert len(table) == 1
    assert table.changes() == []


def test_a_state_without_its_definition_stops_the_restore() -> None:
    kept = rows(table_of(a=LIVE).changes())
    del kept[next(key for key in kept if key.startswith(b"~"))]
    with pytest.raises(Impossible):
        Table().restore(kept)


def test_who_ends_again_with_another_retention_is_kept_for_that() -> None:
    """A schedule that had ended begins again, as it is asked for now."""
    table = Table()
    table.put("other", ended(at=1, retention=1000), new=True)
    table.put("a", ended(at=1, retention=5), new=True)
    back = table.get("a")
    assert back is not None
    table.put("a", back._replace(status="running", ended_at=0), new=False)
    table.put("a", back._replace(retention=1000, ended_at=3), new=False)
    assert table.leaving(1003) == ["other"]
    assert table.leaving(1004) == ["a"]
