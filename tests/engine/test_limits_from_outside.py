"""A limit that another program wrote, with numbers that nobody can reckon with."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagalog.engine import App, Context, Limit
from sagalog.engine.limiter import Limiter, evolve
from sagalog.schemas.ids import limiter_id
from sagalog.schemas.limits import (
    LimiterFact,
    LimitSet,
    LimitSpec,
    PermitsAsked,
    PermitsExpired,
    PermitsRefilled,
)
from sagalog.schemas.record import Entry
from tests.engine.world import World, run

ANY = st.integers(-(2**63), 2**63)
RUNS = st.sampled_from("ab")
SPECS = st.builds(
    LimitSpec,
    concurrency=st.none() | st.integers(0, 2**63),
    rate=st.none() | st.integers(1, 2**63),
    per=st.integers(1, 2**63),
    burst=st.integers(1, 2**63),
)
FACTS: st.SearchStrategy[LimiterFact] = st.one_of(
    st.builds(LimitSet, st.just("x"), st.just("charge"), st.just("a"), st.none() | SPECS),
    st.builds(PermitsExpired, RUNS, ANY),
    st.builds(PermitsRefilled, RUNS, ANY),
    st.builds(
        PermitsAsked, RUNS, ANY, ANY, st.just("charge"), st.just("a"), ANY, ANY, SPECS, tokens=ANY
    ),
)
LIMITER = limiter_id("orders", "charge", "a")


def limited() -> App:
    app = App("orders")

    async def charge(order: dict[str, int], ctx: Context) -> None: ...

    app.operation(limit=Limit(rate=9, by="tenant"))(charge)
    return app


def set_from_outside(world: World, **spec: Any) -> None:
    """A `LimitSet` lands as no program of ours would write it."""
    record = world.tell(LimitSet("x", "charge", "a", LimitSpec()), LIMITER)
    message = orjson.loads(record.value or b"")
    message["data"]["limit"].update(spec)
    world.logs["orders.events", record.partition].pop()
    world.append("orders.events", None, Entry(record.key, orjson.dumps(message)))


@pytest.mark.parametrize(
    "spec",
    [
        {"rate": 0},
        {"rate": -1},
        {"rate": 1, "per": 0},
        {"rate": 1, "burst": 0},
        {"concurrency": -1},
        {"lease": 0},
    ],
)
def test_a_limit_that_nobody_can_reckon_with_goes_to_the_dead_letters(spec: dict[str, int]) -> None:
    world = World(limited())
    world.own()
    world.settle()
    set_from_outside(world, **spec)
    for n in range(4):
        world.ask(run(tenant="a"), f"i{n}")
    world.settle()
    for _ in range(10):
        world.later(1)
    assert [world.status(f"i{n}") for n in range(4)] == ["completed"] * 4
    assert len(world.letters()) == 1
    world.owners["orders", 0].checkpoint()
    world.own()
    world.ask(run(tenant="a"), "next")
    world.settle()
    world.later(20)
    assert world.status("next") == "completed"


@given(st.lists(FACTS, max_size=12))
def test_whatever_can_be_read_can_be_folded(facts: list[LimiterFact]) -> None:
    state: Limiter | None = None
    for offset, fact in enumerate(facts):
        state = evolve(state, fact, offset, 1_000 * (offset % 5))
        if state is not None:
            state.refill_in()
