"""The door: what is no request, what belongs elsewhere, and what has to wait."""

from typing import Any

import orjson
import pytest

from sagalog.schemas import Entry
from sagalog.schemas import facts as f
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.requests import Cancel, Compensate, Inquire
from tests.engine.orders import orders
from tests.engine.owner import Owner
from tests.engine.world import World, run, saga, to


@pytest.fixture
def world() -> World:
    world = World(orders())
    world.own()
    world.settle()
    return world


@pytest.fixture
def owner(world: World) -> Owner:
    return world.owners["orders", 0]


def wire(**fields: Any) -> bytes:
    return orjson.dumps({"id": "x", "type": "sagalog.cancel.v1", "subject": "a", **fields})


POISON: dict[str, bytes | None] = {
    "nothing": None,
    "bytes": b"\x00\xff",
    "another's message": b'{"type":"com.acme","subject":"a"}',
    "a request of another version": wire(type="sagalog.saga.start.v9", data={}),
    "a request that does not fit": wire(type="sagalog.saga.start.v1", data={"name": 7}),
    "a fact": wire(type="sagalog.completed.v1", data={"run": "r"}),
    "an id of the table's own": wire(subject="~position", data={}),
    "no id": wire(subject="", data={}),
}


@pytest.mark.parametrize("value", POISON.values(), ids=POISON)
@pytest.mark.parametrize("key", [b"a", None])
def test_poison_goes_whole_to_the_dead_letters(
    world: World, owner: Owner, value: bytes | None, key: bytes | None
) -> None:
    headers = (("h", b"\xff"),)
    record = world.append("orders.normal", 0, Entry(key, value, headers))
    world.settle()
    (letter,) = world.letters()
    assert letter.entry() == (key, value, headers)
    assert (letter.topic, letter.partition, letter.offset) == ("orders.normal", 0, record.offset)
    assert letter.timestamp == record.timestamp
    assert letter.reason
    assert owner.partition.commits()["normal"] == 1


def test_poison_is_not_done_with_before_its_letter_is_safe(world: World, owner: Owner) -> None:
    world.append("orders.normal", 0, Entry(b"a", b"poison"))
    owner.take_in()
    assert owner.partition.commits()["normal"] == 0
    owner.land()
    assert owner.partition.commits()["normal"] == 1


def test_poison_holds_up_nobody_else(world: World) -> None:
    world.append("orders.normal", 0, Entry(b"a", b"poison"))
    world.ask(saga(), "a")
    world.settle()
    assert world.status("a") == "completed"


def test_every_copy_of_a_poison_record_has_the_id_of_its_place(world: World, owner: Owner) -> None:
    world.append("orders.normal", 0, Entry(b"a", b"poison"))
    owner.take_in()
    owner.crash(landed=1)
    world.own()
    world.settle()
    assert [m.id for m in world.read("orders.deadletters")] == ["orders.normal/0/0"] * 2


class TestElsewhere:
    @pytest.fixture
    def wide(self) -> World:
        world = World(orders(), partitions=3)
        world.own_all()
        world.settle()
        return world

    def test_a_request_on_another_partition_is_forwarded_to_its_own(self, wide: World) -> None:
        home = partition_of(b"a", 3)
        away = (home + 1) % 3
        record = wide.ask(saga(reply_to=to("1")), "a")
        wide.logs["orders.normal", home].clear()
        wide.append("orders.normal", away, Entry(b"strange", record.value, (("h", b"x"),)))
        wide.settle()
        (forwarded,) = wide.logs["orders.normal", home]
        assert (forwarded.key, forwarded.value) == (b"a", record.value)
        assert forwarded.headers == (("h", b"x"),)
        assert wide.status("a") == "completed"
        assert len(wide.replies("1")) == 1

    def test_it_is_not_done_with_before_it_stands_there(self, wide: World) -> None:
        home = partition_of(b"a", 3)
        away = wide.owners["orders", (home + 1) % 3]
        record = wide.ask(saga(), "a")
        wide.append("orders.normal", away.number, Entry(b"a", record.value))
        away.take_in()
        assert away.partition.commits()["normal"] == 0
        away.land()
        assert away.partition.commits()["normal"] == 1

    def test_a_request_with_another_key_than_its_id_is_taken_in_where_it_belongs(
        self, world: World
    ) -> None:
        record = world.ask(saga(), "a")
        world.logs["orders.normal", 0].clear()
        world.append("orders.normal", 0, Entry(b"strange", record.value))
        world.settle()
        assert world.kinds("a")[0] == "Started"


class TestWaiting:
    """Requests for an instance whose first fact is on its way wait until it is read back."""

    def test_a_cancel_behind_its_start_cancels(self, world: World) -> None:
        world.ask(saga(), "a")
        world.ask(Cancel(reply_to=to("c")), "a")
        world.settle()
        assert world.status("a") == "cancelled"
        assert [reply.kind for reply in world.replies("c")] == ["accepted"]

    def test_an_inquiry_behind_its_start_hears_the_outcome(self, world: World) -> None:
        world.ask(saga(), "a")
        world.ask(Inquire(to("i")), "a")
        world.settle()
        assert [reply.status for reply in world.replies("i")] == ["completed"]

    def test_a_repeat_behind_its_start_makes_no_second_life(self, world: World) -> None:
        for number in range(3):
            world.ask(saga(reply_to=to(str(number))), "a")
        world.settle()
        assert world.kinds("a").count("Started") == 1
        assert sorted(reply.request for reply in world.replies()) == ["0", "1", "2"]

    def test_another_payload_behind_its_start_is_a_conflict(self, world: World) -> None:
        world.ask(saga(), "a")
        world.ask(saga(fingerprint="other", reply_to=to("2")), "a")
        world.settle()
        assert [reply.kind for reply in world.replies("2")] == ["conflict"]

    def test_they_are_done_with_when_they_have_been_answered(
        self, world: World, owner: Owner
    ) -> None:
        world.ask(saga(), "a")
        world.ask(saga(), "a")
        owner.take_in()
        owner.land()
        assert owner.partition.commits()["normal"] == 0
        owner.fold()
        assert owner.partition.commits()["normal"] == 2

    def test_a_stale_fact_of_another_does_not_end_the_wait(
        self, world: World, owner: Owner
    ) -> None:
        world.tell(f.Completed("stale"), "a")
        world.ask(saga(), "a")
        world.ask(saga(fingerprint="other", reply_to=to("2")), "a")
        owner.take_in()
        owner.fold()
        world.settle()
        assert world.kinds("a").count("Started") == 1
        assert [reply.kind for reply in world.replies("2")] == ["conflict"]

    def test_another_owner_s_life_is_the_one_that_counts(self, world: World) -> None:
        zombie = world.owners["orders", 0]
        world.ask(saga(), "a")
        zombie.take_in()
        owner = world.own()
        owner.fold()
        owner.land()
        owner.fold()
        owner.take_in()
        zombie.land()
        world.settle()
        assert world.kinds("a").count("Started") == 2
        assert world.status("a") == "completed"
        state = world.state("a")
        assert state is not None
        assert state.run == world.facts("a")[0].run
        assert world.called() == ["reserve", "charge", "ship"]

    def test_requests_of_others_do_not_wait(self, world: World, owner: Owner) -> None:
        world.ask(saga(), "a")
        world.ask(Inquire(to("i")), "b")
        owner.take_in()
        owner.land()
        assert [reply.kind for reply in world.replies("i")] == ["unknown"]


@pytest.mark.parametrize("request_", [saga(), run(), Cancel(), Compensate(1), Inquire(to("i"))])
def test_a_partition_that_does_not_act_takes_nothing_in(world: World, request_: Any) -> None:
    former = world.owners["orders", 0]
    world.own()
    world.settle()
    former.fold()
    record = world.ask(request_, "a")
    for owner in (former, world.own()):
        assert not owner.partition.intake("normal", record, world.now)
        assert owner.partition.effects().appends == []
