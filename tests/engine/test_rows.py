"""Rows of the table topic: every state comes back equal; definitions are held once."""

import orjson
import pytest

from sagalog.engine.instance import Instance, StepState
from sagalog.engine.rows import ROW, Definitions, Later, pack, summary, unpack
from sagalog.schemas.definition import compact
from sagalog.schemas.requests import ReplyTo
from tests.engine.lives import CHAIN, PARENT, STATUSES, TERMINAL, WIDE, Life, done, failed


def held(state: Instance) -> tuple[Definitions, Instance]:
    definitions = Definitions()
    return definitions, state._replace(definition=definitions.intern(state.definition))


FULL = Life(
    WIDE,
    input={"deep": [{"er": None}]},
    key="k",
    priority="low",
    deadline=99,
    tenant="acme",
    traceparent="00-ab",
    reply_to=ReplyTo(1, "c", "r"),
    confirm=True,
    parent=PARENT,
).then(done("a", result={"x": [1.5]}), failed("b", error=TERMINAL))
STATES = {name: make().state for name, make in STATUSES.items()} | {"full": FULL.state}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_every_state_comes_back_as_it_was(state: Instance) -> None:
    definitions, state = held(state)
    row = pack(state, definitions)
    again = unpack(row, definitions)
    assert again == state
    assert type(again) is Instance
    assert again.definition is state.definition
    assert pack(again, definitions) == row


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_a_summary_tells_what_a_row_says(state: Instance) -> None:
    definitions, state = held(state)
    said = summary(pack(state, definitions))
    assert (said.status, said.ended_at, said.retention) == (
        state.status,
        state.ended_at,
        state.retention,
    )
    assert said.digest == definitions.digest(state.definition)


def test_equal_definitions_are_held_once() -> None:
    definitions = Definitions()
    first, second = (Life(CHAIN).state.definition for _ in range(2))
    assert definitions.intern(first) is definitions.intern(second)


def test_a_definition_goes_with_the_last_that_uses_it() -> None:
    definitions = Definitions()
    digest = definitions.digest(definitions.intern(CHAIN))
    definitions.use(digest, 1)
    definitions.use(digest, 1)
    definitions.use(digest, -1)
    assert definitions.row(digest)
    definitions.use(digest, -1)
    assert definitions.row(digest) is None


def test_a_definition_s_row_brings_it_back_under_the_same_digest() -> None:
    definitions, state = held(FULL.state)
    digest = definitions.digest(state.definition)
    row = definitions.row(digest)
    assert row is not None
    others = Definitions()
    others.add(digest, row)
    assert others[digest] == WIDE
    assert others.digest(others[digest]) == others.digest(others.intern(WIDE)) == digest


def test_a_digest_is_a_name_that_nobody_works_out_again() -> None:
    definitions = Definitions()
    definitions.add("as another version named it", compact(WIDE))
    made = definitions["as another version named it"]
    assert made == WIDE
    assert definitions.digest(made) == "as another version named it"


class TestOtherVersions:
    """Rows hold their fields by place; what is new goes last, and is left out while unused."""

    @pytest.mark.parametrize("state", STATES.values(), ids=STATES)
    def test_what_is_as_usual_at_the_end_is_not_written(self, state: Instance) -> None:
        definitions, state = held(state)
        fields = orjson.loads(pack(state, definitions))
        last = ROW[len(fields) - 1]
        assert getattr(state, last) != Instance._field_defaults.get(last, "none")
        assert all(getattr(state, n) == Instance._field_defaults[n] for n in ROW[len(fields) :])

    def test_so_it_is_within_a_step(self) -> None:
        definitions, state = held(Life().state)
        steps = orjson.loads(pack(state, definitions))[ROW.index("steps")]
        assert steps == [["ready", 10, 11_000], [], []]

    def test_a_row_that_lacks_what_is_new_is_read(self) -> None:
        definitions, state = held(FULL.state._replace(letters=(), unreadable=-1))
        fields = orjson.loads(pack(state, definitions))
        assert (
            unpack(orjson.dumps(fields[: ROW.index("steps") + 1]), definitions).steps == state.steps
        )

    def test_so_is_one_that_says_all(self) -> None:
        definitions, state = held(Life().state)
        fields = orjson.loads(pack(state, definitions))
        usual = [Instance._field_defaults[name] for name in ROW[len(fields) :]]
        steps = [list(step) for step in state.steps]
        fields[ROW.index("steps")] = steps
        assert unpack(orjson.dumps([*fields, *usual]), definitions) == state

    def test_the_order_of_a_row_is_not_that_of_the_state(self) -> None:
        assert sorted(ROW) == sorted(Instance._fields)

    @pytest.mark.parametrize("made", ["longer", "a step is longer", "of another kind"])
    def test_a_row_of_a_later_version_says_so(self, made: str) -> None:
        definitions, state = held(FULL.state)
        fields = orjson.loads(pack(state, definitions))
        if made == "longer":
            fields += [None] * (len(ROW) - len(fields)) + [1]
        elif made == "a step is longer":
            fields[ROW.index("steps")][0] = [*StepState("ready"), 1]
        else:
            fields.insert(0, 2)
        with pytest.raises(Later):
            unpack(orjson.dumps(fields), definitions)

    def test_so_does_one_whose_definition_this_code_cannot_read(self) -> None:
        definitions, state = held(FULL.state)
        row, others = pack(state, definitions), Definitions()
        others.add(
            definitions.digest(WIDE), compact(WIDE).replace(b'"undo"', b'"novelty":1,"undo"')
        )
        with pytest.raises(Later):
            unpack(row, others)
