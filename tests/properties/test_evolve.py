"""The fold: total, deterministic, idempotent, whatever facts come in whatever order."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sagalog.engine.evolve import Here, evolve, forgettable
from sagalog.engine.instance import ENDED, Instance
from sagalog.engine.lifecycle import FIRST, TRANSITIONS
from sagalog.engine.pending import pending
from sagalog.engine.rows import Definitions, pack, unpack
from sagalog.engine.turning import can_turn
from sagalog.schemas import facts as f
from sagalog.schemas.definition import Definition
from sagalog.schemas.requests import Claimed
from tests.engine.lives import ALONE, CAREFUL, CHAIN, CRITICAL, REMOTE, WIDE, Life, scheduled
from tests.properties.facts import FACTS, PARENTS

BEAT = Definition("operation", "beat", ())
"""Stands for a schedule, which has no graph."""

GRAPHS = st.sampled_from([CHAIN, WIDE, CAREFUL, ALONE, REMOTE, CRITICAL, BEAT])

MANY = st.lists(FACTS, max_size=40)


def live(graph: Definition, parent: Any, facts: list[Any]) -> list[tuple[Any, Here, Instance]]:
    """Fold the facts; each that counted, where it stood, and the state after it."""
    claim = Claimed("ann", 30_000) if graph is CRITICAL else None
    life = (
        scheduled(due=10) if graph is BEAT else Life(graph, parent=parent, deadline=99, claim=claim)
    )
    counted = []
    for fact in facts:
        if isinstance(fact, f.Taken):
            life.take()
            continue
        before, here = life.instance, life.here()
        life.instance = evolve(before, fact, here)
        if life.instance is not before:
            counted.append((fact, here, life.state))
    return counted


@given(GRAPHS, PARENTS, MANY)
def test_it_never_raises_nor_does_what_follows_from_it(
    graph: Definition, parent: Any, facts: list[Any]
) -> None:
    for _, _, state in live(graph, parent, facts):
        assert isinstance(state, Instance)
        actions = pending(state)
        assert len(set(actions)) == len(actions)
        assert can_turn(state) in (True, False)
        assert forgettable(state) in (True, False)
        assert len(state.remaining()) == len(state.undoing)


@given(GRAPHS, PARENTS, MANY)
def test_the_same_facts_make_the_same_state(
    graph: Definition, parent: Any, facts: list[Any]
) -> None:
    assert live(graph, parent, facts) == live(graph, parent, facts)


@given(GRAPHS, PARENTS, MANY)
def test_a_fact_that_counted_once_never_counts_again(
    graph: Definition, parent: Any, facts: list[Any]
) -> None:
    counted = live(graph, parent, facts)
    if not counted:
        return
    last = counted[-1][2]
    for fact, here, state in counted:
        assert evolve(state, fact, here) is state
        assert evolve(state, fact, here._replace(offset=here.offset + 1)) is state
        assert evolve(last, fact, Here(10**6, 10**9, here.taken)) is last


@given(GRAPHS, PARENTS, MANY)
def test_every_state_keeps_its_own_rules(graph: Definition, parent: Any, facts: list[Any]) -> None:
    before: Instance | None = None
    for _, _, state in live(graph, parent, facts):
        assert len(set(state.undoing)) == len(state.undoing)
        assert bool(state.cause) or not state.undoing
        if state.status == "completed":
            assert not state.cause
        if state.status in ("compensated", "cancelled"):
            assert (state.cause == "cancel") == (state.status == "cancelled")
        if before is not None and before.status in ENDED and before.parent is None:
            assert state.status in (before.status, "stuck")
            assert state.ended_at == before.ended_at
        before = state


@given(GRAPHS, PARENTS, MANY)
def test_every_state_comes_back_from_its_row(
    graph: Definition, parent: Any, facts: list[Any]
) -> None:
    for _, _, state in live(graph, parent, facts)[-3:]:
        definitions = Definitions()
        held = state._replace(definition=definitions.intern(state.definition))
        definitions.use(definitions.digest(held.definition), 1)
        assert unpack(pack(held, definitions), definitions) == held


@given(GRAPHS, PARENTS, MANY)
def test_a_status_is_followed_by_none_that_the_state_machine_does_not_know(
    graph: Definition, parent: Any, facts: list[Any]
) -> None:
    before = Life(graph, parent=parent, deadline=99).state.status
    assert before in FIRST
    for _, _, state in live(graph, parent, facts):
        assert state.status == before or state.status in TRANSITIONS[before]
        before = state.status
