"""Schedules in partitions whose owners die."""

from typing import Any

import pytest

from sagalog.engine.rows import pack
from sagalog.schemas import facts as f
from sagalog.schemas.ids import firing_key, instance_id, schedule_id
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Entry
from sagalog.schemas.requests import Cancel, Occasion, Plan, Schedule, StepData
from sagalog.schemas.upcasting import UPCASTERS
from tests.engine.orders import orders
from tests.engine.world import World, run, to

MINUTE, HOUR = 60_000, 3_600_000
EVERY_MINUTE = Plan("* * * * *", fingerprint="f")


def ask(plan: Plan = EVERY_MINUTE, name: str = "charge", **fields: Any) -> Schedule:
    said = {"input": {"n": 1}, "fingerprint": plan.every, "key": "k", "cause_time": 1_000_000}
    return Schedule(**{"name": name, **said, **fields}, plan=plan)


def firings(world: World, key: str = "k", name: str = "charge") -> dict[int, str]:
    """The status of what was started, by the time that it was due."""
    found: dict[int, str] = {}
    for fact in world.facts():
        if isinstance(fact, f.Started) and fact.occasion is not None:
            due = fact.occasion.due
            found[due] = world.status(instance_id("", name, firing_key(key, due)))
    return found


@pytest.fixture
def world() -> World:
    world = World(orders(), partitions=3)
    world.own_all()
    world.settle()
    return world


def test_it_starts_what_it_says_each_time_with_a_key_that_says_when(world: World) -> None:
    world.ask(ask(), "s")
    world.settle()
    assert (world.kinds("s"), firings(world)) == (["ScheduleStarted"], {})
    for _ in range(3):
        world.later(60)
    dues = [1_020_000, 1_080_000, 1_140_000]
    assert firings(world) == dict.fromkeys(dues, "completed")
    assert [call.context.key for call in world.calls] == [
        f"k@1970-01-01T00:{n}:00Z" for n in (17, 18, 19)
    ]
    assert world.facts("s")[1:] == [
        f.ScheduleFired(world.facts("s")[0].run, due, due, due + MINUTE, 1_000_000) for due in dues
    ]


def test_it_fires_on_its_time_and_not_before(world: World) -> None:
    world.ask(ask(), "s")
    world.settle()
    world.later(19.999)
    assert firings(world) == {}
    world.later(0.001)
    assert firings(world) == {1_020_000: "completed"}


def test_what_it_starts_is_as_it_says(world: World) -> None:
    plan = Plan("* * * * *", kind="saga", fingerprint="x", lasting=5_000, queue_limit=9_000)
    world.ask(
        ask(plan, "order", priority="high", tenant="acme", retention=HOUR, traceparent="t"),
        "s",
        lane="high",
    )
    world.settle()
    world.later(60)
    (started,) = [fact for fact in world.facts() if isinstance(fact, f.Started)]
    assert (started.definition.name, started.input, started.fingerprint) == ("order", {"n": 1}, "x")
    assert (started.priority, started.tenant, started.lane) == ("high", "acme", "high")
    assert (started.retention, started.traceparent) == (HOUR, "t")
    assert started.deadline == world.now + 5_000
    run_ = world.facts("s")[0].run
    assert started.occasion == Occasion("s", run_, 1_020_000)
    (asked,) = [m.data for m in world.read("orders.high") if m.subject != "s"]
    assert (asked.queue_limit, asked.cause_time) == (9_000, 1_020_000)


def test_a_saga_given_as_data_can_be_scheduled(world: World) -> None:
    steps = (StepData("reserve"), StepData("charge"))
    world.ask(ask(Plan("* * * * *", kind="saga", steps=steps), "new"), "s")
    world.settle()
    world.later(60)
    assert world.called() == ["reserve", "charge"]


def test_a_death_between_request_and_fact_doubles_nothing(world: World) -> None:
    number = _home("s", world)
    world.ask(ask(), "s")
    world.settle()
    owner = world.owners["orders", number]
    world.now += MINUTE
    owner.tick()
    owner.crash(landed=1)
    world.own(partition=number)
    world.settle()
    assert world.kinds("s") == ["ScheduleStarted", "ScheduleFired"]
    asked = [m.subject for m in world.read("orders.normal") if m.subject != "s"]
    assert len(asked) == 2, "sent by the first owner, and by the second"
    assert len(set(asked)) == 1
    assert world.called() == ["charge"]


def test_a_zombie_s_firing_doubles_nothing(world: World) -> None:
    world.ask(ask(), "s")
    world.settle()
    zombie = world.owners["orders", _home("s", world)]
    world.own(partition=_home("s", world))
    world.now += MINUTE
    zombie.tick()
    zombie.land()
    world.settle()
    assert world.called() == ["charge"]


def test_after_an_hour_in_which_nobody_worked_the_newest_is_started_once(world: World) -> None:
    number = _home("s", world)
    world.ask(ask(), "s")
    world.settle()
    world.owners["orders", number].crash()
    world.now += HOUR
    world.own(partition=number)
    world.settle()
    assert list(firings(world)) == [1_020_000 + 59 * MINUTE]


def test_all_that_was_missed_is_started_in_order_where_that_is_wanted(world: World) -> None:
    number = _home("s", world)
    world.ask(ask(Plan("* * * * *", catch_up="all")), "s")
    world.settle()
    world.owners["orders", number].crash()
    world.now += 10 * MINUTE
    world.own(partition=number)
    world.settle()
    fired = [fact.fires for fact in world.facts("s") if isinstance(fact, f.ScheduleFired)]
    assert fired == [1_020_000 + n * MINUTE for n in range(10)]
    assert world.called() == ["charge"] * 10


def test_a_cancelled_one_fires_no_more_and_is_forgotten_in_its_time(world: World) -> None:
    world.ask(ask(retention=HOUR), "s")
    world.settle()
    world.later(60)
    world.ask(Cancel("enough"), "s")
    world.settle()
    world.later(600)
    assert world.status("s") == "cancelled"
    assert len(world.called()) == 1
    assert world.kinds("s")[-2:] == ["CancelRequested", "Cancelled"]


def test_the_same_again_joins_and_another_is_a_conflict(world: World) -> None:
    world.ask(ask(confirm=True, reply_to=to("a")), "s")
    world.ask(ask(confirm=True, reply_to=to("b")), "s")
    other = Plan("0 * * * *")
    world.ask(ask(other, reply_to=to("c"), cause_time=1_000_001), "s")
    world.settle()
    assert [world.replies(r)[0].kind for r in "abc"] == ["started", "started", "conflict"]
    assert world.kinds("s") == ["ScheduleStarted"]


def test_another_takes_its_place_where_it_asks_for_that(world: World) -> None:
    world.ask(ask(), "s")
    world.settle()
    other = ask(Plan("*/2 * * * *"), replaces=True, cause_time=1_000_001, reply_to=to("c"))
    world.ask(other, "s")
    world.settle()
    assert world.replies("c")[0].kind == "accepted"
    world.ask(ask(replaces=True), "s")  # the first one's request, sent again
    world.settle()
    for _ in range(4):
        world.later(60)
    assert list(firings(world)) == [1_080_000, 1_200_000]


def test_one_that_was_cancelled_begins_again_when_it_is_asked_for_again(world: World) -> None:
    world.ask(ask(), "s")
    world.ask(Cancel("enough"), "s")
    world.settle()
    assert world.status("s") == "cancelled"
    world.ask(ask(), "s")  # sent again by itself
    world.settle()
    assert world.status("s") == "cancelled"
    world.ask(ask(cause_time=world.now + 1), "s")
    world.settle()
    world.later(60)
    assert world.called() == ["charge"]
    world.ask(Cancel("enough"), "s")
    world.settle()
    assert world.status("s") == "cancelled"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (ask(Plan("often")), "every: 'often' is no cron expression"),
        (ask(Plan("* * * * *", zone="Mars")), "zone: 'Mars' is no time zone"),
        (ask(name="nothing"), "no saga or operation of this name"),
        (ask(Plan("* * * * *", kind="saga", steps=(StepData("no"),)), "new"), "no operation 'no'"),
    ],
)
def test_what_can_never_be_started_is_refused(
    world: World, request_: Schedule, reason: str
) -> None:
    world.ask(Schedule(**{**_said(request_), "reply_to": to("r"), "plan": request_.plan}), "s")
    world.settle()
    (reply,) = world.replies("r")
    assert (reply.kind, reason in reply.error.message) == ("refused", True)
    assert len(world.letters()) == 1


def test_a_replacement_that_makes_no_sense_leaves_it_as_it_is(world: World) -> None:
    world.ask(ask(), "s")
    world.ask(ask(Plan("often"), replaces=True, cause_time=1_000_001, reply_to=to("r")), "s")
    world.settle()
    world.later(60)
    assert world.replies("r")[0].kind == "refused"
    assert world.called() == ["charge"]


def test_a_replacement_waits_for_code_that_can_read_the_schedule(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ask(ask(), "s")
    world.settle()
    number = partition_of(b"s", world.partitions)
    value = b'{"type": "sagalog.novelty.v1", "subject": "s", "data": {"run": "", "letter": ""}}'
    world.append("orders.events", number, Entry(b"s", value))
    world.settle()
    plan = Plan("0 * * * *", fingerprint="f")
    world.ask(ask(plan, replaces=True, cause_time=1_000_001, reply_to=to("r")), "s")
    world.settle()
    assert world.owners["orders", number].partition.commits()["normal"] == 1
    assert world.replies("r") == []
    monkeypatch.setitem(
        UPCASTERS, "sagalog.novelty.v1", ("sagalog.deadlettered.v1", lambda data: data)
    )
    world.owners["orders", number].checkpoint()
    world.owners["orders", number].crash()
    world.own("orders", number)
    world.settle()
    state = world.state("s")
    assert state is not None
    assert state.beat is not None
    assert state.beat.plan == plan


def test_its_first_time_may_be_later(world: World) -> None:
    world.ask(ask(not_before=1_000_000 + HOUR), "s")
    world.settle()
    assert world.facts("s")[0].due == 1_020_000 + HOUR


def test_a_year_of_minutes_grows_nothing() -> None:
    world = World(orders(retention=60))
    owner = world.own()
    world.settle()
    world.ask(ask(), "s")
    world.settle()
    sizes: set[int] = set()
    for _ in range(300):
        world.later(60)
        state = world.state("s")
        assert state is not None
        sizes.add(len(pack(state, owner.partition.table.definitions)))
        agenda = owner.partition.agenda
        assert len(agenda.timers) <= 2
    assert sizes == {max(sizes)} or max(sizes) - min(sizes) <= len("1020000")


def test_its_key_is_not_that_of_an_ordinary_one(world: World) -> None:
    assert schedule_id("", "charge", "k") != instance_id("", "charge", "k")
    world.ask(ask(), schedule_id("", "charge", "k"))
    world.ask(run(key="k"), instance_id("", "charge", "k"))
    world.settle()
    assert world.called() == ["charge"]


def test_who_asks_for_a_firing_by_its_key_joins_it(world: World) -> None:
    world.ask(ask(), "s")
    world.settle()
    world.later(60)
    key = firing_key("k", 1_020_000)
    world.ask(run(key=key, reply_to=to("r")), instance_id("", "charge", key))
    world.settle()
    assert [(reply.kind, reply.status) for reply in world.replies("r")] == [
        ("outcome", "completed")
    ]
    assert world.called() == ["charge"]


def _said(request: Schedule) -> dict[str, Any]:
    return {name: getattr(request, name) for name in ("name", "input", "fingerprint", "cause_time")}


def _home(instance: str, world: World) -> int:
    return partition_of(instance.encode(), world.partitions)
