"""Progress: a fact that the fold keeps until the call is over, and that wants nothing done."""

import pytest

from sagalog.engine import Context
from sagalog.engine.instance import Progress
from sagalog.engine.pending import pending
from sagalog.engine.rows import Definitions, pack, unpack
from sagalog.schemas import facts as f
from sagalog.schemas.requests import Inquire
from tests.engine.lives import ALONE, ERROR, Life, done, failed
from tests.engine.orders import orders
from tests.engine.world import World, run, to


def further(number: int, fraction: float = 0.5, *, step: str = "a", attempt: int = 1) -> f.Fact:
    return f.StepProgressed("run", step, attempt, number, fraction, f"report {number}")


def kept(life: Life) -> Progress | None:
    return life.state.steps[0].progress


def test_the_newest_is_kept_and_wants_nothing_done() -> None:
    life = Life(ALONE)
    wanted = pending(life.state)
    life.then(further(1, 0.1), further(3, 0.3), further(2, 0.2))
    assert life.ignored == [further(2, 0.2)]
    assert kept(life) == Progress(0.3, "report 3", 3, life.time - 1000)
    assert pending(life.state) == wanted


def test_another_attempt_another_run_and_another_step_are_not_meant() -> None:
    stale = f.StepProgressed("other", "a", 1, 9, 0.9)
    life = Life().then(further(1, attempt=2), further(1, step="b"), further(1, step="zzz"), stale)
    assert len(life.ignored) == 4


@pytest.mark.parametrize("end", [done("a"), failed("a", final=False), failed("a", error=ERROR)])
def test_it_is_forgotten_when_the_call_is_over(end: f.Fact) -> None:
    life = Life(ALONE).then(further(1), end)
    assert kept(life) is None if life.state.steps else True
    late = further(9)
    assert life.then(late).ignored == [late]


def test_it_survives_its_row() -> None:
    state = Life().then(further(1)).state
    definitions = Definitions()
    held = state._replace(definition=definitions.intern(state.definition))
    assert unpack(pack(held, definitions), definitions) == state


def test_only_a_running_call_of_the_owner_makes_a_fact() -> None:
    world = World(orders())
    owner = world.own()
    world.settle()
    world.script.hold("charge")
    world.ask(run(), "a")
    world.ask(Inquire(to("q"), follow=True), "a")
    world.settle()
    ((call, _),) = owner.running
    owner.partition.progressed(call, 1, 0.5, "half", world.now)
    owner._collect()
    world.settle()
    owner.partition.progressed(call._replace(run="former"), 2, 0.7, "", world.now)
    world.ask(Inquire(to("late"), follow=True), "a")
    world.settle()
    world.script.let_go("charge")
    world.settle()
    owner.partition.progressed(call, 3, 0.9, "", world.now)
    owner._collect()
    world.settle()
    assert world.kinds("a") == ["Started", "StepProgressed", "StepCompleted", "Completed"]
    for request in ("q", "late"):
        first, last = world.replies(request)
        assert (first.step, first.fraction, first.message) == ("charge", 0.5, "half")
        assert (last.kind, last.status) == ("outcome", "completed")


def test_the_next_owner_s_call_tells_on_where_the_lost_one_ended() -> None:
    world = World(orders())
    world.script.hold("charge")
    world.ask(run(), "a")
    for said in (0.5, 0.1):
        owner = world.own()
        world.settle()
        ((call, _),) = owner.running
        for number in (1, 2, 3):
            owner.partition.progressed(call, number, said, "", world.now)
        owner._collect()
        world.settle()
        state = world.state("a")
        assert state is not None
        assert state.steps[0].progress is not None
        assert state.steps[0].progress.fraction == said
        owner.crash()
    numbers = [fact.number for fact in world.facts("a") if isinstance(fact, f.StepProgressed)]
    assert numbers == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("said", "told"), [(0.4, 0.4), (-1, 0.0), (40, 1.0), (float("nan"), 0.0), (1, 1.0)]
)
def test_what_is_no_fraction_is_made_one_and_fails_no_call(said: float, told: float) -> None:
    heard: list[tuple[float, str]] = []
    ctx = Context("i", "n", "s", 1, "key")
    ctx.progress(said, "nobody listens")
    ctx.reporter = lambda fraction, message: heard.append((fraction, message))
    ctx.progress(said, "x" * 1000)
    assert heard == [(told, "x" * 500)]
