"""Reading the facts: what is poison, what parks its instance, what is said only later."""

from typing import Any

import orjson
import pytest

from sagalog.schemas import Entry
from sagalog.schemas import facts as f
from tests.engine.orders import orders
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


def retake(world: World) -> None:
    owner = world.owners["orders", 0]
    owner.checkpoint()
    owner.crash()
    world.own()
    world.settle()


POISON: dict[str, Entry] = {
    "nothing": Entry(b"a", None),
    "bytes": Entry(b"a", b"\xff"),
    "another's message": wire("a", "com.acme"),
    "a fact that does not fit": wire("a", "sagalog.completed.v1"),
    "a request": wire("a", "sagalog.cancel.v1"),
    "a key that is not its subject": wire("a", "sagalog.completed.v1", run="r")._replace(key=b"b"),
    "an id of the table's own": wire("~position", "sagalog.completed.v1", run="r"),
}


class TestPoison:
    @pytest.mark.parametrize("entry", POISON.values(), ids=POISON)
    def test_it_goes_whole_to_the_dead_letters_and_the_fold_goes_on(
        self, world: World, entry: Entry
    ) -> None:
        world.append("orders.events", 0, entry)
        world.ask(saga(), "a")
        world.settle()
        (letter,) = world.letters()
        assert letter.entry() == entry
        assert letter.topic == "orders.events"
        assert world.status("a") == "completed"

    @pytest.mark.parametrize("acting", [True, False])
    def test_a_checkpoint_waits_until_its_dead_letter_is_durable(
        self, world: World, acting: bool
    ) -> None:
        """Who folds on behind it never meets it again, and so could not write the letter."""
        owner = world.owners["orders", 0] if acting else world.own()
        world.append("orders.events", 0, POISON["bytes"])
        if not acting:
            assert not owner.partition.unlettered
            owner.land()
        owner.fold()
        assert owner.partition.unlettered
        owner.land()
        assert not owner.partition.unlettered
        assert len(world.letters()) == 1

    def test_what_an_owner_meets_while_it_folds_is_told_once_it_acts(self) -> None:
        world = World(orders())
        world.append("orders.events", 0, POISON["bytes"])
        owner = world.own()
        owner.fold(1)
        assert not owner.outbox or owner.outbox[0].topic == "orders.events"
        world.settle()
        assert len(world.letters()) == 1

    def test_an_owner_that_is_lost_tells_nothing(self, world: World) -> None:
        former = world.owners["orders", 0]
        world.own().land()
        world.append("orders.events", 0, POISON["bytes"])
        former.fold()
        assert list(former.outbox) == []


class TestGaps:
    def test_offsets_that_others_transactions_left_out_are_no_facts(self, world: World) -> None:
        log = world.logs["orders.events", 0]
        world.tell(f.Completed("x"), "marker")
        log[-1] = log[-1]._replace(offset=log[-1].offset + 5)
        owner = world.owners["orders", 0]
        owner.fold()
        assert owner.partition.position == log[-1].offset + 1

    def test_a_fact_that_is_read_twice_is_folded_once(self, world: World) -> None:
        world.ask(saga(), "a")
        world.settle()
        owner = world.owners["orders", 0]
        before = owner.partition.table.get("a")
        owner.partition.fold(world.logs["orders.events", 0], world.now)
        assert owner.partition.table.get("a") == before
        assert owner.partition.effects().appends == []


class TestToldLater:
    """After a take, replies are sent again only for ends in the folded tail (rule 13)."""

    def test_ends_in_the_tail_are_told_again(self, world: World) -> None:
        owner = world.owners["orders", 0]
        world.ask(saga(reply_to=to("1")), "a")
        world.settle()
        owner.commit()
        owner.crash()
        world.own()
        world.settle()
        assert [reply.status for reply in world.replies("1")] == ["completed"] * 2

    def test_ends_before_the_checkpoint_are_not(self, world: World) -> None:
        world.ask(saga(reply_to=to("1")), "a")
        world.settle()
        retake(world)
        assert len(world.replies("1")) == 1

    def test_nothing_is_told_before_the_owner_acts(self, world: World) -> None:
        world.ask(saga(reply_to=to("1")), "a")
        world.settle()
        world.owners["orders", 0].crash()
        owner = world.own()
        owner.fold()
        assert [append.topic for append in owner.outbox] == ["orders.events"]
