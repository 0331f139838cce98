"""How actions start: what the owner appends, to whom, and under which id."""

from typing import Any

import pytest

from sagalog.engine import Retry, step
from sagalog.engine.results import Returned
from sagalog.schemas import facts as f
from sagalog.schemas.deadletters import FailedStep
from sagalog.schemas.ids import child_id
from sagalog.schemas.requests import Cancel, Parent
from tests.engine.orders import orders, payments
from tests.engine.script import AWAY, ERROR, TERMINAL, TIMEOUT
from tests.engine.world import World, run, saga, to


@pytest.fixture
def world() -> World:
    world = World(orders(), payments())
    world.own_all()
    world.settle()
    return world


def last(world: World, topic: str) -> Any:
    return world.read(topic)[-1].data


class TestThere:
    def test_a_step_of_another_app_is_sent_to_its_lane(self, world: World) -> None:
        world.script.hold("charge")
        said = {"priority": "high", "tenant": "acme", "traceparent": "00-ab", "retention": 77}
        world.ask(saga("remote", **said, deadline=world.now + 10**6), "a", lane="high")
        world.settle()
        message = world.read("payments.high")[-1]
        request, run_ = message.data, world.facts("a")[0].run
        assert message.subject == child_id(run_, "charge")
        assert {name: getattr(request, name) for name in said} == said
        assert (request.name, request.input) == ("charge", {"n": 1})
        assert request.deadline == world.now + 10**6
        assert request.parent == Parent("orders", 0, "a", run_, "charge")
        assert request.cause_time == world.now

    def test_its_result_comes_back_as_the_step_s(self, world: World) -> None:
        world.script.on("charge", Returned({"receipt": 7}))
        world.ask(saga("remote"), "a")
        world.settle()
        state = world.state("a")
        assert state is not None
        assert state.result["charge"] == {"receipt": 7}

    def test_its_failure_turns_the_saga_back(self, world: World) -> None:
        world.script.on("charge", TERMINAL)
        world.ask(saga("remote"), "a")
        world.settle()
        assert world.status("a") == "compensated"
        assert world.called() == ["reserve", "charge", "release"]

    def test_a_spread_step_keeps_its_saga_s_policy(self) -> None:
        app = orders()

        undo = app.operations["recall"]
        once = step(
            app.operations["charge"],
            undo=undo,
            retry=Retry(max_attempts=1),
            spread=True,
            name="pay",
        )
        app.saga("mine", once, step(app.operations["ship"]))
        world = World(app, partitions=3)
        world.own_all()
        world.settle()
        world.script.on("ship", TERMINAL)
        world.ask(saga("mine"), "a")
        world.settle()
        assert world.called() == ["charge", "ship", "recall"]
        world.script.on("charge", ERROR)
        world.ask(saga("mine"), "b")
        world.settle()
        assert world.status("b") == "compensated"

    def test_a_saga_that_turns_back_calls_back_what_runs_there(self, world: World) -> None:
        app = world.apps["orders"]

        far = [step("payments/charge", after=()), step("payments/invoice", after=())]
        app.saga("far", *far)
        world.script.hold("charge", "invoice")
        world.ask(saga("far"), "a")
        world.settle()
        world.ask(Cancel(), "a")
        world.settle()
        run_ = world.facts("a")[0].run
        cancels = [m for m in world.read("payments.normal") if isinstance(m.data, Cancel)]
        assert [m.subject for m in cancels] == [child_id(run_, "charge")]
        world.script.let_go("charge", "invoice")
        world.settle()
        assert world.status("a") == "cancelled"
        assert sorted(world.called()) == ["charge", "invoice", "refund", "shred"]

    def test_a_step_without_an_outcome_in_time_is_given_up_and_undone(self, world: World) -> None:
        world.owners["payments", 0].crash()
        world.ask(saga("remote"), "a")
        world.settle()
        world.later(29)
        assert world.status("a") == "running"
        world.later(1)
        failed = next(fact for fact in world.facts("a") if isinstance(fact, f.StepFailed))
        assert (failed.error.kind, failed.final) == ("timeout", True)
        assert world.status("a") == "compensating"
        world.own("payments")
        world.settle()
        assert world.status("a") == "compensated"

    def test_a_child_saga_is_a_step_like_any_other(self, world: World) -> None:

        world.apps["orders"].saga("big", step("payments/bill"), step("ship"))
        world.script.on("ship", TERMINAL)
        world.ask(saga("big"), "a")
        world.settle()
        assert world.status("a") == "compensated"
        assert world.called()[3:] in (["refund", "shred"], ["shred", "refund"])

    def test_an_outcome_too_large_for_the_parent_is_a_failure_and_is_undone(
        self, world: World
    ) -> None:

        world.apps["orders"].saga("big", step("payments/bill"))
        world.script.on("charge", Returned("x" * 600_000))
        world.script.on("invoice", Returned("x" * 600_000))
        world.ask(saga("big"), "a")
        world.settle()
        assert world.status("a") == "compensated"
        assert sorted(world.called()) == ["charge", "invoice", "refund", "shred"]


class TestLetters:
    def test_a_final_failure_is_dead_lettered_with_all_that_is_needed(self, world: World) -> None:
        world.script.on("charge", ERROR, ERROR, ERROR)
        world.ask(saga(), "a")
        world.settle()
        for _ in range(3):
            world.later(10)
        run_ = world.facts("a")[0].run
        (message,) = world.read("orders.deadletters")
        assert message.id == f"a/{run_}/1/0/3"
        assert message.data == FailedStep(
            instance="a",
            run=run_,
            name="order",
            step="charge",
            phase="forward",
            number=0,
            attempts=3,
            error=ERROR,
            input={"n": 1},
            status="compensating",
            remaining=("reserve",),
        )

    def test_a_failed_undo_names_what_remains(self, world: World) -> None:
        world.script.on("ship", TERMINAL)
        world.script.on("refund", TERMINAL)
        world.ask(saga(), "a")
        world.settle()
        letter = last(world, "orders.deadletters")
        assert (letter.phase, letter.step, letter.number) == ("undo", "charge", 1)
        assert (letter.status, letter.remaining) == ("stuck", ("charge", "reserve"))

    def test_each_is_posted_once(self, world: World) -> None:
        world.script.on("charge", TERMINAL)
        world.ask(saga(), "a")
        world.settle()
        owner = world.owners["orders", 0]
        owner.checkpoint()
        owner.crash()
        world.own()
        world.settle()
        assert len(world.letters()) == 1

    def test_the_fact_that_it_is_posted_follows_its_letter(self, world: World) -> None:
        owner = world.owners["orders", 0]
        world.script.on("charge", TERMINAL)
        world.ask(run("charge"), "a")
        while not world.letters():
            assert "DeadLettered" not in world.kinds("a")
            for move in (owner.fold, owner.take_in, owner.begin, owner.finish):
                move()
            owner.land(1)
        world.settle()
        assert world.kinds("a")[-1] == "DeadLettered"

    @pytest.mark.parametrize("end", ["resolve", "late completion"])
    def test_one_that_is_still_to_be_posted_survives_the_end(self, world: World, end: str) -> None:
        world.script.on("charge", TERMINAL)
        owner = world.owners["orders", 0]
        world.ask(run("charge"), "a")
        while world.status("a") != "dead":
            owner.land(1)
            for move in (owner.fold, owner.take_in, owner.begin, owner.finish):
                move()
        owner.crash()
        run_ = world.facts("a")[0].run
        late = f.StepCompleted(run_, "charge", 1, "late")
        by_hand = f.StepReleased(run_, "charge", "resolve", 1)
        world.tell(late if end == "late completion" else by_hand, "a")
        world.tell(f.Completed(run_), "a")
        world.own()
        world.settle()
        assert world.status("a") == "completed"
        (letter,) = world.letters()
        assert (letter.step, letter.input, letter.error) == ("charge", {"n": 1}, TERMINAL)
        assert world.kinds("a")[-1] == "DeadLettered"

    def test_each_tells_its_own_error_however_late_it_is_posted(self, world: World) -> None:
        """A step has one error at a time, and its undo's comes over its own."""
        world.script.hold("reserve")
        world.ask(saga(), "a")
        world.settle()
        world.owners["orders", 0].crash()
        run_ = world.facts("a")[0].run
        for fact in (
            f.StepFailed(run_, "reserve", 1, TIMEOUT, final=True),
            f.CompensationFailed(run_, "reserve", 1, 1, TERMINAL, final=True),
        ):
            world.tell(fact, "a")
        world.own()
        world.settle()
        errors = {letter.phase: letter.error for letter in world.letters()}
        assert errors == {"forward": TIMEOUT, "undo": TERMINAL}


def test_give_up_on_what_is_away_parks_visibly(world: World) -> None:
    world.script.on("charge", *[AWAY] * 100)
    world.ask(run("charge", reply_to=to("1")), "a")
    world.settle()
    for _ in range(30):
        world.later(10)
    assert world.status("a") == "dead"
    assert [reply.status for reply in world.replies("1")] == ["dead"]
    assert world.called().count("charge") < 30
