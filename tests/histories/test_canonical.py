"""What the comparison notices, and what it lets pass."""

from typing import Any, NamedTuple

from sagalog.engine.instance import StepState
from sagalog.schemas.definition import RetrySpec, StepSpec
from tests.histories.canonical import Layout, dumps, plain, text, today

LAYOUT: Layout = {"Thing": {"name": [], "count": [3], "gone": [0]}}


def thing(count: Any = 3, new: Any = None, *, usual_count: int = 3, usual_new: Any = None) -> Any:
    class Thing(NamedTuple):
        name: str
        count: Any = usual_count
        new: Any = usual_new

    return Thing("a", count, new)


def test_what_was_usual_is_left_out() -> None:
    assert text(thing(), LAYOUT) == '{"name":"a"}'
    assert text(thing(4), LAYOUT) == '{"count":4,"name":"a"}'


def test_a_new_field_with_its_default_breaks_nothing() -> None:
    assert text(thing(new=[], usual_new=[]), LAYOUT) == '{"name":"a"}'


def test_a_new_field_that_an_old_log_fills_is_noticed() -> None:
    assert text(thing(new=1), LAYOUT) == '{"name":"a","new":1}'


def test_a_changed_default_is_noticed() -> None:
    unsaid = thing(5, usual_count=5)  # what a definition without a word means after the change
    assert text(unsaid, LAYOUT) == '{"count":5,"name":"a"}'


def test_so_is_one_deep_inside() -> None:
    step = StepSpec("a", "a", retry=RetrySpec(max_attempts=5))
    then = {"RetrySpec": {"max_attempts": [5]}, "StepSpec": today()["StepSpec"]}
    assert text(step.retry, then) == "{}"
    assert text(step, then) != text(StepSpec("a", "a"), then)
    assert text(StepSpec("a", "a"), then) != text(StepSpec("a", "a"), today())


def test_kinds_of_equal_numbers_are_told_apart() -> None:
    values = [thing(3), thing(3.0), thing(True), thing(1)]
    assert len({text(value, LAYOUT) for value in values}) == 4


def test_bytes_are_the_json_that_they_are() -> None:
    assert plain(b'{"b": 1, "a": [2.0]}', {}) == {"a": [2.0], "b": 1}


def test_texts_and_numbers_are_written_one_way() -> None:
    said = {"é\u2028": [1e22, -0.0, 2**64, True, None], "a": "\x01"}
    assert dumps(said) == '{"a":"\\u0001","é\u2028":[1e+22,-0.0,18446744073709551616,true,null]}'


def test_a_state_says_what_it_is() -> None:
    assert plain(StepState("ready", 4, retry_at=9), today()) == {
        "status": "ready",
        "offset": 4,
        "retry_at": 9,
    }
