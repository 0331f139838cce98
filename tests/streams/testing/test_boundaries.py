"""Where a crash can strike, and what it is called."""

from sagalog.schemas import facts as f
from sagalog.schemas.codec import encode
from sagalog.schemas.record import Entry
from sagalog.streams.testing.boundaries import Boundary, Plan, Write, plan_in_force


def entry(fact: f.Fact) -> Entry:
    return Entry(b"a", encode(fact, id="1", source="here", subject="a", now=0))


def test_a_plan_strikes_once() -> None:
    plan = Plan(5)
    entries = [entry(f.StepCompleted("r", "charge", 1)), entry(f.Completed("r"))]
    assert plan.write("orders.events", 0, entries) is None
    assert plan.struck is None
    assert plan.write("orders.events", 0, entries) == "unheard"
    assert plan.write("orders.events", 0, entries) is None
    assert str(plan.struck) == (
        "after StepCompleted charge, Completed on orders.events/0 landed, unheard"
    )
    assert len(plan.boundaries) == 9


def test_a_plan_is_in_force_for_a_while() -> None:
    plan = Plan()
    with plan.in_force():
        assert plan_in_force() is plan
    assert plan_in_force() is None


def test_a_checkpoint_and_what_cannot_be_read_have_names() -> None:
    assert str(Write("orders.tables", 2, ())) == "a checkpoint of orders.tables/2"
    unread = Write("orders.normal", 0, (Entry(b"a", b"?"),))
    assert str(Boundary(1, unread, "before")) == "before a record on orders.normal/0 landed"
