"""Rule 11: a firing names the due time that it was set for, and others are ignored."""

import pytest

from sagalog.schemas import facts as f
from tests.engine.lives import ERROR, Life, failed
from tests.engine.orders import orders, payments
from tests.engine.script import AWAY
from tests.engine.script import ERROR as FAILED
from tests.engine.world import World, run, saga


@pytest.fixture
def world() -> World:
    world = World(orders(), payments())
    world.own_all()
    world.settle()
    return world


class TestDeadlines:
    def test_it_fires_when_it_is_due_and_not_before(self, world: World) -> None:
        world.script.hold("reserve")
        world.ask(saga("brief"), "a")
        world.settle()
        world.later(8.999)
        assert world.status("a") == "running"
        world.later(0.001)
        assert world.status("a") == "compensating"
        (fact,) = [x for x in world.facts("a") if isinstance(x, f.DeadlinePassed)]
        assert fact.due == world.now

    def test_a_firing_for_another_time_is_ignored(self, world: World) -> None:
        world.script.hold("reserve")
        world.ask(saga("brief"), "a")
        world.settle()
        run_ = world.facts("a")[0].run
        for due in (0, world.now, world.now + 8999, world.now + 9001):
            world.tell(f.DeadlinePassed(run_, due), "a")
        world.settle()
        assert world.status("a") == "running"

    def test_one_without_a_deadline_heeds_none(self) -> None:
        assert Life().then(f.DeadlinePassed("run", 0)).state.status == "running"

    def test_one_that_is_in_time_hears_nothing_of_it(self, world: World) -> None:
        world.ask(saga("brief"), "a")
        world.settle()
        world.later(100)
        assert world.kinds("a")[-1] == "Completed"

    def test_the_next_owner_fires_what_the_former_could_not(self, world: World) -> None:
        world.script.hold("reserve")
        world.ask(saga("brief"), "a")
        world.settle()
        world.owners["orders", 0].crash()
        world.now += 100_000
        world.own()
        world.settle()
        assert world.kinds("a").count("DeadlinePassed") == 1

    def test_two_owners_that_fire_turn_it_back_once(self, world: World) -> None:
        world.script.hold("reserve")
        world.ask(saga("brief"), "a")
        world.settle()
        zombie = world.owners["orders", 0]
        world.own()
        world.settle()
        world.now += 9000
        zombie.partition.tick(world.now)
        world.settle()
        world.script.let_go("reserve")
        world.settle()
        assert world.called().count("release") <= 2
        assert world.status("a") == "compensated"


class TestRetries:
    def test_a_wait_lasts_as_long_as_its_fact_says(self, world: World) -> None:
        world.script.on("charge", FAILED, AWAY)
        world.ask(run("charge"), "a")
        world.settle()
        for wait, calls in ((0.999, 1), (0.001, 2), (1.999, 2), (0.001, 3)):
            world.later(wait)
            assert world.called().count("charge") == calls

    def test_the_wait_stands_in_the_fact_so_that_all_owners_agree(self, world: World) -> None:
        world.script.on("charge", FAILED)
        world.ask(run("charge"), "a")
        world.settle()
        (fact,) = [x for x in world.facts("a") if isinstance(x, f.StepFailed)]
        for _ in range(3):
            assert world.own().partition.number == 0
            world.settle()
        assert world.called() == ["charge"]
        world.now = fact.retry_at
        world.settle()
        assert world.called() == ["charge", "charge"]

    def test_a_wait_that_is_not_wanted_any_more_starts_nothing(self, world: World) -> None:
        world.script.on("charge", FAILED)
        world.ask(run("charge"), "a")
        world.settle()
        run_ = world.facts("a")[0].run
        world.tell(f.StepCompleted(run_, "charge", 1, "late"), "a")
        world.settle()
        world.later(100)
        assert world.called() == ["charge"]


class TestTimeoutsThere:
    def test_a_timeout_counts_for_the_attempt_that_it_was_set_for(self) -> None:
        life = Life().then(failed("a", final=False))
        stale = f.StepFailed("run", "a", 1, f.Failure("timeout", "Timeout", ""), final=True)
        assert life.then(stale).state.status == "running"
        assert life.state.steps[0].error == ERROR

    def test_an_outcome_in_time_leaves_none(self, world: World) -> None:
        world.ask(saga("remote"), "a")
        world.settle()
        world.later(31)
        assert "StepFailed" not in world.kinds("a")
