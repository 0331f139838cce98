"""How far a partition is folded, and positions that must never be."""

import pytest

from sagalog.engine.errors import Impossible
from sagalog.engine.partition import Partition
from sagalog.engine.position import POSITION_KEY, Mark, Position, check
from tests.engine.orders import orders
from tests.engine.world import World, saga


def test_a_position_comes_back_as_it_was() -> None:
    position = Position(
        Mark(7, 3, {"high": 2}), Mark(5, 1, {"low": 1}), ((1000, {"normal": 4}), (2000, {}))
    )
    entry = position.row()
    assert entry.key == POSITION_KEY
    assert entry.value is not None
    assert Position.of({POSITION_KEY: entry.value}) == position


def test_without_rows_it_is_the_beginning() -> None:
    assert Position.of({}) == Position(Mark(0, -1, {}), None, ())


@pytest.mark.parametrize(
    "rows",
    [{b"a": b"[]"}, {POSITION_KEY: b"no JSON"}, {POSITION_KEY: b"7"}, {POSITION_KEY: b"[1]"}],
)
def test_rows_that_say_no_position_stop_the_partition(rows: dict[bytes, bytes]) -> None:
    with pytest.raises(Impossible):
        Position.of(rows)


def test_what_is_as_usual_at_its_end_is_not_written() -> None:
    """So what a later version adds there is no news to this one while nobody uses it."""
    assert Position().row().value == b"[[0,-1,{}]]"
    assert Position(Mark(3, 1, {}), Mark(2, 1, {})).row().value == b"[[3,1,{}],[2,1,{}]]"
    assert Position.of({POSITION_KEY: b"[[3,1,{}]]"}) == Position(Mark(3, 1, {}))
    assert Position.of({POSITION_KEY: b"[[3,1,{}],null,[]]"}) == Position(Mark(3, 1, {}))


@pytest.mark.parametrize("row", [b"[[3,1,{}],null,[],7]", b"[[3,1,{},7]]"])
def test_one_of_a_later_version_says_so(row: bytes) -> None:
    with pytest.raises(Impossible, match="later version"):
        Position.of({POSITION_KEY: row})


@pytest.mark.parametrize(("start", "end"), [(0, 7), (0, 100), (7, 7), (7, 100)])
def test_a_checkpoint_within_its_log_fits(start: int, end: int) -> None:
    check(3, 7, start, end)


@pytest.mark.parametrize(("start", "end", "word"), [(0, 6, "beyond"), (8, 100, "starts at 8")])
def test_one_outside_of_it_stops_the_partition_with_a_sentence(
    start: int, end: int, word: str
) -> None:
    with pytest.raises(Impossible, match="partition 3") as caught:
        check(3, 7, start, end)
    assert word in str(caught.value)


def checkpointed() -> dict[bytes, bytes]:
    world = World(orders())
    world.script.hold("charge")
    owner = world.own()
    world.ask(saga(), "a")
    world.settle()
    owner.checkpoint()
    return world.tables["orders", 0]


def test_a_log_that_has_lost_facts_stops_the_partition() -> None:
    with pytest.raises(Impossible):
        Partition(orders(), 0, 1, "x").restore(checkpointed(), 0, 1)


def test_a_log_that_was_cut_before_it_was_folded_stops_the_partition() -> None:
    with pytest.raises(Impossible):
        Partition(orders(), 0, 1, "x").restore({}, 1, 9)


def test_a_state_beyond_the_checkpoint_stops_the_partition() -> None:
    rows = checkpointed()
    position = Position.of(rows)
    behind = position._replace(mark=position.mark._replace(offset=1)).row().value
    assert behind is not None
    with pytest.raises(Impossible, match="a "):
        Partition(orders(), 0, 1, "x").restore(rows | {POSITION_KEY: behind}, 0, 100)
