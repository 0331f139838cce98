"""Definitions: what travels in a first fact comes back equal, small, and for old readers."""

import pytest

from sagalog.schemas import Poison, decode
from sagalog.schemas.definition import Definition, RetrySpec, StepSpec, compact, derived, parse
from tests.schemas.specimens import DEFINITION


def test_a_definition_comes_back_as_it_was() -> None:
    assert parse(compact(DEFINITION)) == DEFINITION


def test_what_is_as_usual_takes_no_room() -> None:
    assert compact(Definition("saga", "s", (StepSpec("a", "a"),))) == (
        b'{"kind":"saga","name":"s","steps":[{"name":"a","operation":"a"}]}'
    )


def test_equal_definitions_have_equal_rows() -> None:
    again = parse(compact(DEFINITION))
    assert again is not DEFINITION
    assert compact(again) == compact(DEFINITION)


def test_many_definitions_do_not_mix_up_their_rows() -> None:
    names = [f"saga-{number}" for number in range(3000)]
    made = [Definition("saga", name, (StepSpec(name, name),)) for name in names]
    for _ in range(2):
        assert [parse(compact(definition)).name for definition in made] == names
        assert [derived(definition).operations for definition in made] == [{n: n} for n in names]


@pytest.mark.parametrize(
    ("spec", "there"),
    [
        (StepSpec("a", "a"), False),
        (StepSpec("a", "payments/a"), True),
        (StepSpec("a", "a", spread=True), True),
    ],
)
def test_a_step_runs_there_when_it_is_spread_or_names_another_app(
    spec: StepSpec, *, there: bool
) -> None:
    assert spec.there is there


def test_a_retry_that_is_not_said_is_as_usual() -> None:
    assert (
        parse(b'{"kind":"saga","name":"s","steps":[{"name":"a","operation":"a"}]}').steps[0].retry
        == RetrySpec()
    )


NO_GRAPHS = {
    "a name twice": (StepSpec("a", "a"), StepSpec("a", "b")),
    "after none": (StepSpec("a", "a", after=("z",)),),
    "after itself": (StepSpec("a", "a", after=("a",)),),
    "a cycle": (StepSpec("a", "a", after=("b",)), StepSpec("b", "b", after=("a",))),
}


@pytest.mark.parametrize("steps", NO_GRAPHS.values(), ids=NO_GRAPHS)
def test_steps_that_make_no_graph_are_refused(steps: tuple[StepSpec, ...]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Definition("saga", "s", steps)


@pytest.mark.parametrize(
    "steps",
    [
        '[{"name":"a","operation":"a","after":["z"]}]',
        '[{"name":"a","operation":"a"},{"name":"a","operation":"a"}]',
        '[{"name":"a","operation":"a","after":["a"]}]',
    ],
)
def test_from_the_wire_they_are_poison(steps: str) -> None:
    data = f'{{"run":"r","definition":{{"kind":"saga","name":"s","steps":{steps}}},"input":1'
    data += ',"fingerprint":"f","lane":"low","lane_offset":0,"retention":0}'
    message = decode(f'{{"type":"sagalog.started.v1","subject":"i","data":{data}}}'.encode())
    assert isinstance(message, Poison)
    assert "definition" in message.reason
