"""Rows of the table topic: every state comes back equal; definitions are held once."""

import pytest

from sagalog.engine.instance import Instance
from sagalog.engine.rows import Definitions, pack, summary, unpack
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
    assert others.digest(others.add(row)) == digest
    assert others[digest] == WIDE
