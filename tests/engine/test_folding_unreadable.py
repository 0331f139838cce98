"""Facts that this code cannot read: they park their instance until code comes that can."""

from typing import Any

import orjson
import pytest

from sagalog.schemas import Entry
from sagalog.schemas import facts as f
from sagalog.schemas.requests import Cancel, Inquire
from sagalog.schemas.upcasting import UPCASTERS
from tests.engine.orders import orders
from tests.engine.script import TERMINAL
from tests.engine.world import World, saga, to

NOVEL = "sagalog.novelty.v1"


@pytest.fixture
def world() -> World:
    world = World(orders())
    world.own()
    world.settle()
    return world


def wire(subject: str, type_: str = NOVEL, **data: Any) -> Entry:
    return Entry(subject.encode(), orjson.dumps({"type": type_, "subject": subject, "data": data}))


def upgrade(monkeypatch: pytest.MonkeyPatch, to_type: str) -> None:
    """From now on the code can read the novelty."""
    monkeypatch.setitem(UPCASTERS, NOVEL, (to_type, lambda data: data))


def retake(world: World) -> None:
    owner = world.owners["orders", 0]
    owner.checkpoint()
    owner.crash()
    world.own()
    world.settle()


def with_a_start_of_tomorrow() -> tuple[World, Entry]:
    """A world, and the first fact of `z` as a newer pod wrote it, for the lane's offset 0."""
    world = World(orders(retention=0))
    world.own()
    world.settle()
    definition = orders().sagas["order"].definition
    first = f.Started("new-1", definition, {}, "f", "normal", 0, 0)
    record = world.tell(first, "z", source="newer")
    world.logs["orders.events", 0].pop()
    assert record.value is not None
    value = record.value.replace(b"sagalog.started.v1", NOVEL.encode())
    world.append("orders.normal", 0, Entry(b"~", b"what the newer pod took in"))
    world.settle()
    return world, Entry(b"z", value)


def forget_everything(world: World) -> None:
    """All that has ended is forgotten."""
    world.ask(saga(), "ended")
    world.settle()
    world.now += 1000
    world.tell(f.Completed("x"), "stranger")
    world.settle()
    world.owners["orders", 0].poll()
    world.settle()
    assert world.kinds("ended")[-1] == "Forgotten"


class TestUnreadable:
    def test_it_parks_its_instance_and_nothing_else(self, world: World) -> None:
        world.script.hold("charge")
        for name in ("a", "b"):
            world.ask(saga(), name)
        world.settle()
        world.append("orders.events", 0, wire("a"))
        world.settle()
        world.script.let_go("charge")
        world.settle()
        assert (world.status("a"), world.status("b")) == ("running", "completed")
        assert world.called().count("ship") == 1

    def test_under_another_key_it_is_poison_as_any_fact_is(self, world: World) -> None:
        world.ask(saga(), "a")
        world.settle()
        world.append("orders.events", 0, Entry(b"another", wire("a").value))
        world.append("orders.events", 0, Entry(b"another", wire("never-seen").value))
        world.settle()
        assert world.state("never-seen") is None
        state = world.state("a")
        assert state is not None
        assert state.unreadable == -1
        assert [letter.reason.partition(" ")[0] for letter in world.letters()] == ["its", "its"]

    def test_a_call_that_was_under_way_may_end(self, world: World) -> None:
        world.script.hold("charge")
        world.ask(saga(), "a")
        world.settle()
        world.append("orders.events", 0, wire("a"))
        world.settle()
        world.script.let_go("charge")
        world.settle()
        assert world.kinds("a")[-1] == "StepCompleted"

    @pytest.mark.parametrize(
        "status",
        [
            "running",
            "stuck",
            "completed",
            "compensated",
            "nothing",
        ],
    )
    def test_code_that_can_read_it_folds_on_from_there(
        self, world: World, status: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if status == "running":
            world.script.hold("charge")
        elif status == "stuck":
            world.script.on("audit", *[f.Failure("unavailable", "", "")] * 20)
        elif status == "compensated":
            world.script.on("reserve", TERMINAL)
        if status != "nothing":
            world.ask(saga("careful" if status == "stuck" else "order"), "a")
        world.settle()
        for _ in range(20 if status == "stuck" else 0):
            world.later(10)
        before = world.state("a")
        world.append("orders.events", 0, wire("a", run="x"))
        world.settle()
        upgrade(monkeypatch, "sagalog.completed.v1")
        retake(world)
        after = world.state("a")
        assert (before is None) == (after is None)
        if before is not None and after is not None:
            assert after._replace(offset=0) == before._replace(offset=0)

    def test_where_it_says_nothing_new_it_comes_to_the_same_to_the_byte(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.ask(saga(), "a")
        world.settle()
        before = world.state("a")
        world.tell(f.Completed("x"), "stranger")
        world.append("orders.events", 0, wire("a", run="x"))
        world.settle()
        upgrade(monkeypatch, "sagalog.completed.v1")
        retake(world)
        assert world.state("a") == before

    def test_what_it_says_counts(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        world.script.hold("charge")
        world.ask(saga(), "a")
        world.settle()
        run = world.facts("a")[0].run
        world.append("orders.events", 0, wire("a", run=run))
        world.settle()
        upgrade(monkeypatch, "sagalog.cancel.requested.v1")
        world.script.let_go("charge")
        retake(world)
        assert world.status("a") == "cancelled"

    def test_a_first_fact_that_was_unreadable_starts_the_instance(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world, entry = with_a_start_of_tomorrow()
        world.append("orders.events", 0, entry)
        world.settle()
        assert world.status("z") == "running"
        upgrade(monkeypatch, "sagalog.started.v1")
        retake(world)
        assert world.status("z") == "completed"

    def test_also_when_the_low_water_has_risen_meanwhile(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world, entry = with_a_start_of_tomorrow()
        world.append("orders.events", 0, entry)
        world.settle()
        forget_everything(world)
        assert world.owners["orders", 0].partition.low["normal"] > 0
        upgrade(monkeypatch, "sagalog.started.v1")
        retake(world)
        assert world.status("z") == "completed"

    def test_what_was_forgotten_meanwhile_does_not_come_back(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world, entry = with_a_start_of_tomorrow()
        world.append("orders.events", 0, entry)
        world.ask(saga(), "a")
        world.settle()
        forget_everything(world)
        called = world.called()
        upgrade(monkeypatch, "sagalog.started.v1")
        retake(world)
        assert world.status("a") == ""
        assert world.called() == [*called, "reserve", "charge", "ship"]

    def test_nobody_is_told_of_a_conflict_with_what_cannot_be_read(self, world: World) -> None:
        world.append("orders.events", 0, wire("a"))
        world.ask(saga(reply_to=to("1")), "a")
        world.ask(Inquire(to("2")), "a")
        world.settle()
        assert world.replies() == []

    def test_a_wish_for_it_stays_in_its_lane_for_code_that_can(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.script.hold("charge")
        world.ask(saga(), "a")
        world.settle()
        world.append("orders.events", 0, wire("a", run="x"))
        world.settle()
        world.ask(Cancel(), "a")
        world.settle()
        upgrade(monkeypatch, "sagalog.completed.v1")
        world.script.let_go("charge")
        retake(world)
        assert world.status("a") == "cancelled"

    def test_what_is_no_request_does_not_stay_in_its_lane(self, world: World) -> None:
        world.append("orders.events", 0, wire("a"))
        world.settle()
        world.ask(f.Completed("no request"), "a")
        world.settle()
        owner = world.owners["orders", 0]
        assert owner.partition.commits()["normal"] == 1
        (letter,) = world.read("orders.deadletters")
        assert letter.data.reason == "sagalog.completed.v1 is no request"

    def test_code_that_still_cannot_parks_it_again(self, world: World) -> None:
        world.script.hold("charge")
        world.ask(saga(), "a")
        world.settle()
        world.append("orders.events", 0, wire("a"))
        world.settle()
        before = world.state("a")
        world.script.let_go("charge")
        retake(world)
        assert before is not None
        state = world.state("a")
        assert state is not None
        assert state.unreadable == before.unreadable
        assert world.called().count("ship") == 0

    def test_folded_from_the_beginning_it_comes_to_the_same(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world, entry = with_a_start_of_tomorrow()
        world.append("orders.events", 0, entry)
        world.ask(saga(), "a")
        world.settle()
        upgrade(monkeypatch, "sagalog.started.v1")
        retake(world)
        folded = {name: world.state(name) for name in "az"}
        world.tables.clear()
        owner = world.own()
        owner.fold()
        assert {name: owner.partition.table.get(name) for name in "az"} == folded


class TestRowsOfALaterVersion:
    """A newer owner's row may hold what this code cannot keep: its instance is parked too."""

    @pytest.fixture
    def later(self, world: World) -> World:
        """A newer owner has left a row of another kind for `a`, and then this code came."""
        world.script.hold("charge")
        for name in ("a", "b"):
            world.ask(saga(), name)
        world.settle()
        owner = world.owners["orders", 0]
        owner.checkpoint()
        owner.crash()
        table = world.tables["orders", 0]
        table[b"a"] = b"[2," + table[b"a"][1:]
        world.own()
        world.settle()
        return world

    def newer_code_comes(self, world: World) -> None:
        owner = world.owners["orders", 0]
        owner.checkpoint()
        owner.crash()
        table = world.tables["orders", 0]
        assert table[b"a"].startswith(b"[2,"), "it was written over"
        table[b"a"] = b"[" + table[b"a"][3:]
        world.own()
        world.settle()

    def test_it_stands_still_and_no_other(self, later: World) -> None:
        later.script.let_go("charge")
        later.settle()
        later.ask(Cancel(), "a")
        later.settle()
        assert later.status("b") == "completed"
        assert later.called().count("charge") == 3  # `a` and `b` by the newer owner, then `b`
        assert later.owners["orders", 0].partition.counters["parked"] == 1

    def test_code_that_can_read_it_goes_on_with_it(self, later: World) -> None:
        later.script.let_go("charge")
        later.settle()
        self.newer_code_comes(later)
        assert (later.status("a"), later.status("b")) == ("completed", "completed")

    def test_what_came_meanwhile_is_folded_then(self, later: World) -> None:
        run = later.facts("a")[0].run
        later.tell(f.StepCompleted(run, "charge", 1, "the newer owner's"), "a")
        later.settle()
        for _ in range(2):  # whoever of this version takes it next hands it on
            retake(later)
        later.script.let_go("charge")
        self.newer_code_comes(later)
        assert later.status("a") == "completed"
        state = later.state("a")
        assert state is not None
        assert state.result["charge"] == "the newer owner's"
        calls = [c for c in later.calls if c.call.instance == "a" and c.operation == "charge"]
        assert len(calls) == 1
