"""One partition over time: taken, lost, crashed, given up, and taken up by the next."""

import pytest

from sagalog.engine.results import Returned
from sagalog.schemas import facts as f
from sagalog.schemas.requests import Cancel
from tests.engine.orders import orders
from tests.engine.owner import Owner
from tests.engine.script import ERROR, TERMINAL
from tests.engine.world import World, run, saga


@pytest.fixture
def world() -> World:
    world = World(orders())
    world.own()
    world.settle()
    return world


@pytest.fixture
def owner(world: World) -> Owner:
    return world.owners["orders", 0]


class TestTaking:
    def test_nothing_starts_before_the_own_taken_is_read_back(self, world: World) -> None:
        world.script.hold("reserve")
        world.ask(saga(), "a")
        world.settle()
        owner = world.own()
        owner.fold()
        owner.tick()
        assert (owner.ready, owner.partition.phase) == ([], "folding")
        owner.land()
        owner.fold()
        assert (len(owner.ready), owner.partition.phase) == (1, "acting")

    def test_a_fact_behind_the_taken_counts_too(self, world: World, owner: Owner) -> None:
        world.script.hold("charge")
        world.ask(run("charge"), "a")
        world.settle()
        successor = world.own()
        successor.land()
        owner.finish("charge", Returned("zombie's"))
        owner.land()
        world.settle()
        state = world.state("a")
        assert state is not None
        assert (state.status, state.result) == ("completed", "zombie's")

    def test_an_owner_that_reads_another_s_taken_is_lost(self, world: World, owner: Owner) -> None:
        world.own().land()
        owner.fold()
        assert owner.partition.phase == "lost"

    def test_a_lost_owner_starts_and_appends_nothing_more(self, world: World, owner: Owner) -> None:
        world.script.hold("reserve", "charge")
        world.ask(saga("wide"), "a")
        owner.take_in()
        owner.land()
        owner.fold()
        owner.begin(1)
        world.own().land()
        owner.fold()
        owner.outbox.clear()
        world.script.let_go("reserve", "charge")
        owner.begin()
        owner.finish()
        owner.tick()
        assert list(owner.outbox) == []
        assert len(world.calls) == 1

    def test_what_happened_between_two_owners_is_done_by_the_second(self, world: World) -> None:
        world.owners["orders", 0].crash()
        world.ask(saga(), "a")
        world.own()
        world.settle()
        assert world.status("a") == "completed"

    def test_folding_from_zero_and_from_a_checkpoint_come_to_the_same(
        self, world: World, owner: Owner
    ) -> None:
        world.script.on("ship", TERMINAL, ERROR)
        world.script.hold("refund")
        for name in "abc":
            world.ask(saga(), name)
        world.settle()
        owner.checkpoint()
        world.script.let_go("refund")
        world.settle()
        live = {name: owner.partition.table.get(name) for name in "abc"}
        from_checkpoint = world.own()
        from_checkpoint.fold()
        world.tables.clear()
        from_zero = world.own()
        from_zero.fold()
        for successor in (from_checkpoint, from_zero):
            assert {name: successor.partition.table.get(name) for name in "abc"} == live


class TestCrashes:
    @pytest.mark.parametrize("landed", range(4))
    @pytest.mark.parametrize("step", ["reserve", "charge", "ship"])
    def test_at_any_step_the_next_owner_goes_on(
        self, world: World, owner: Owner, step: str, landed: int
    ) -> None:
        world.script.hold(step)
        world.ask(saga(), "a")
        world.settle()
        owner.finish(step, Returned(step))
        owner.crash(landed)
        world.script.let_go(step)
        world.own()
        world.settle()
        assert world.status("a") == "completed"
        again = 0 if landed else 1
        assert world.called().count(step) == 1 + again
        assert len(world.called()) == 3 + again

    def test_a_lost_first_fact_is_written_anew_from_the_lane(
        self, world: World, owner: Owner
    ) -> None:
        world.ask(saga(), "a")
        owner.take_in()
        owner.commit()
        owner.crash()
        world.own()
        world.settle()
        assert world.status("a") == "completed"

    def test_a_request_read_twice_runs_once(self, world: World, owner: Owner) -> None:
        world.ask(saga(), "a")
        world.settle()
        owner.crash()
        world.own()
        world.settle()
        assert world.kinds("a").count("Started") == 1
        assert world.called() == ["reserve", "charge", "ship"]

    def test_a_wait_goes_on_where_it_was(self, world: World, owner: Owner) -> None:
        world.script.on("reserve", ERROR)
        world.ask(saga(), "a")
        world.settle()
        owner.crash()
        world.own()
        world.settle()
        assert world.called() == ["reserve"]
        world.later(1)
        assert world.status("a") == "completed"

    def test_a_handler_of_a_life_that_is_over_says_nothing_about_the_next(self) -> None:
        world = World(orders(retention=0))
        owner = world.own()
        world.script.hold("charge")
        world.ask(run("charge"), "a")
        world.settle()
        first = world.facts("a")[0].run
        world.tell(f.StepCompleted(first, "charge", 1, "zombie's"), "a")
        world.tell(f.Completed(first), "a")
        world.now += 1000
        world.tell(f.Completed("x"), "stranger")
        world.settle()
        owner.poll()
        world.settle()
        assert world.status("a") == ""
        world.ask(run("charge"), "a")
        world.settle()
        owner.finish("charge", Returned("of the first life"))
        world.settle()
        assert world.status("a") == "running"
        owner.finish("charge", Returned("of the second"))
        world.settle()
        assert world.replies() == []
        state = world.state("a")
        assert state is not None
        assert state.result == "of the second"


class TestGivingUp:
    def test_what_runs_may_end_and_nothing_more_starts(self, world: World, owner: Owner) -> None:
        world.script.hold("charge")
        world.ask(saga(), "a")
        world.settle()
        owner.partition.close_intake()
        assert owner.partition.settling()
        owner.finish("charge", Returned(1))
        owner.land()
        assert owner.partition.settling()
        owner.fold()
        assert not owner.partition.settling()
        owner.begin()
        assert world.called() == ["reserve", "charge"]

    def test_nothing_more_is_taken_in_or_fired(self, world: World, owner: Owner) -> None:
        world.script.on("reserve", ERROR)
        world.ask(saga(), "a")
        world.settle()
        owner.partition.close_intake()
        world.ask(saga(), "b")
        world.now += 10_000
        owner.take_in()
        owner.tick()
        owner.begin()
        assert owner.partition.next_due() is None
        assert world.called() == ["reserve"]
        assert list(owner.outbox) == []

    def test_the_next_owner_takes_it_up(self, world: World, owner: Owner) -> None:
        world.script.hold("charge")
        world.ask(saga(), "a")
        world.settle()
        owner.partition.close_intake()
        world.ask(Cancel(), "a")
        owner.finish("charge", Returned(1))
        owner.land()
        owner.fold()
        owner.checkpoint()
        owner.crash()
        world.own()
        world.settle()
        assert world.status("a") == "cancelled"
        assert world.called() == ["reserve", "charge", "ship", "recall", "refund", "release"]
