"""Limits over many partitions: never more at once, nobody starves, and nothing is lost."""

from collections import Counter
from itertools import pairwise

import pytest

from sagalog.engine import App, Context, Limit, step
from sagalog.engine.aside import CROWD
from sagalog.engine.results import Returned
from sagalog.schemas import facts as f
from sagalog.schemas import limits as l
from sagalog.schemas.ids import board_id, limiter_id
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.requests import Cancel
from tests.engine.owner import Owner
from tests.engine.world import World, run, saga

PARTITIONS = 5


def limited(limit: Limit) -> App:
    """An app with one operation that is limited and one that is not."""
    app = App("orders")

    async def refund(order: dict[str, int], ctx: Context) -> None: ...

    async def charge(order: dict[str, int], ctx: Context) -> None: ...

    async def look(order: dict[str, int], ctx: Context) -> None: ...

    undo = app.operation(limit=Limit(concurrency=1))(refund)
    app.operation(limit=limit, undo=undo)(charge)
    app.operation(look)
    return app


class Crowd:
    """A world with one app over several partitions, whose handlers end when they are told."""

    def __init__(self, limit: Limit) -> None:
        self.world = World(limited(limit), partitions=PARTITIONS)
        self.world.script.hold("charge")
        self.world.own_all()
        self.world.settle()
        self.asked = 0

    def ask(self, count: int, *, tenant: str = "", name: str = "charge", **fields: object) -> None:
        """So many requests, over all partitions."""
        for _ in range(count):
            self.asked += 1
            instance = f"{tenant}{self.asked}"
            self.world.ask(run(name, tenant=tenant, **fields), instance)
        self.world.settle()

    @property
    def owners(self) -> list[Owner]:
        """Who lives, former owners too."""
        return list(self.world.owners.values())

    def running(self, name: str = "charge") -> list[Context]:
        """What runs now."""
        return [
            invocation.context
            for owner in self.owners
            for _, invocation in owner.running
            if invocation.operation == name
        ]

    def end(self, most: int = 10**6, owner: Owner | None = None) -> int:
        """So many of the running calls end; how many did."""
        ended = 0
        for one in self.owners if owner is None else [owner]:
            for call, invocation in list(one.running):
                if invocation.operation == "charge" and ended < most:
                    one.end(call, invocation, Returned(None))
                    ended += 1
        self.world.settle()
        return ended

    def drain(self, most: int, *, seconds: float = 0.05, rounds: int = 2000) -> int:
        """Let everything end, `most` at once; how many ended."""
        ended = 0
        for _ in range(rounds):
            assert len(self.running()) <= most
            ended += self.end()
            if ended == self.asked:
                return ended
            self.world.later(seconds)
        return ended


@pytest.mark.parametrize("concurrency", [1, 2, 4, 13])
def test_never_more_run_at_once_than_the_limit_over_all_partitions(concurrency: int) -> None:
    crowd = Crowd(Limit(concurrency=concurrency))
    crowd.ask(60)
    assert len(crowd.running()) == concurrency
    assert crowd.drain(concurrency) == 60


def test_where_nothing_is_limited_nothing_is_asked() -> None:
    crowd = Crowd(Limit(concurrency=1))
    crowd.ask(30, name="look")
    assert crowd.world.called() == ["look"] * 30
    assert not [x for x in crowd.world.facts() if isinstance(x, l.PermitsAsked)]


def test_each_tenant_has_its_own_limit() -> None:
    crowd = Crowd(Limit(concurrency=2, by="tenant"))
    crowd.ask(40, tenant="a")
    crowd.ask(1, tenant="b")
    assert Counter(ctx.tenant for ctx in crowd.running()) == {"a": 2, "b": 1}


def test_a_place_of_the_input_can_be_the_key() -> None:
    crowd = Crowd(Limit(concurrency=1, by="customer.id"))
    for customer in ("x", "y"):
        crowd.ask(10, input={"customer": {"id": customer}})
    crowd.ask(5, input={"customer": 3})
    assert len(crowd.running()) == 3


def test_what_waits_for_a_permit_stops_nothing_else() -> None:
    crowd = Crowd(Limit(concurrency=1))
    crowd.ask(30)
    crowd.ask(30, name="look")
    assert crowd.world.called().count("look") == 30
    assert len(crowd.running()) == 1


def test_the_few_of_one_tenant_do_not_wait_behind_the_flood_of_another() -> None:
    crowd = Crowd(Limit(concurrency=4))
    crowd.ask(500, tenant="a")
    crowd.ask(5, tenant="b")
    done = 0
    while crowd.world.called().count("charge") < 505 and done < 100:
        done += crowd.end()
        crowd.world.later(0.05)
        if sum(x.context.tenant == "b" for x in crowd.world.calls) == 5:
            break
    assert done < 100


def test_permits_go_where_the_work_is() -> None:
    crowd = Crowd(Limit(concurrency=6))
    crowd.ask(200)
    held = [len(owner.running) for owner in crowd.owners]
    assert sum(held) == 6
    for _ in range(15):
        crowd.end()
        crowd.world.later(0.2)
    held = [len(owner.running) for owner in crowd.owners]
    assert sorted(held) == [1, 1, 1, 1, 2]
    while crowd.end(3):
        crowd.world.later(0.2)
        waiting = crowd.asked - len(crowd.world.calls)
        assert len(crowd.running()) == 6 or not waiting


def test_what_is_not_used_is_given_back_and_the_limiter_is_forgotten() -> None:
    crowd = Crowd(Limit(concurrency=3))
    crowd.ask(10)
    crowd.drain(3)
    crowd.world.later(2)
    crowd.world.later(2)
    assert all(not owner.partition._lending.limiters for owner in crowd.owners)
    assert all(not owner.partition._permits._purses for owner in crowd.owners)
    assert all(owner.partition.next_due() is None for owner in crowd.owners)


def test_what_a_dead_owner_held_comes_back_when_its_lease_is_over() -> None:
    crowd = Crowd(Limit(concurrency=2, lease=3.0))
    crowd.ask(40)
    held = max(crowd.owners, key=lambda owner: len(owner.running))
    number, lost = held.number, len(held.running)
    assert lost
    held.crash()
    crowd.world.own("orders", number)
    crowd.world.settle()
    assert len(crowd.running()) == 2 - lost
    crowd.world.later(1.0)
    assert len(crowd.running()) <= 2 - lost
    for _ in range(8):
        crowd.world.later(1.0)
    assert len(crowd.running()) == 2
    crowd.drain(2, seconds=0.2)


def test_the_death_of_the_limiter_s_owner_stops_nothing_for_long() -> None:
    crowd = Crowd(Limit(concurrency=2, lease=3.0))
    crowd.ask(40)
    home = partition_of(limiter_id("orders", "charge", "").encode(), PARTITIONS)
    crowd.world.owners["orders", home].crash()
    crowd.end()
    for _ in range(5):
        crowd.world.later(1.0)
        assert len(crowd.running()) <= 2
    crowd.world.own("orders", home)
    crowd.world.settle()
    ended = crowd.drain(2, seconds=0.5)
    assert ended >= 36


def test_a_long_handler_keeps_its_permit() -> None:
    crowd = Crowd(Limit(concurrency=2, lease=1.0))
    crowd.ask(10)
    began = len(crowd.world.calls)
    for _ in range(100):
        crowd.world.later(0.1)
    assert len(crowd.running()) == 2
    assert len(crowd.world.calls) == began
    assert not [x for x in crowd.world.facts() if isinstance(x, l.PermitsExpired)]


# -- rates


def test_no_more_begin_in_a_while_than_the_rate_says() -> None:
    crowd = Crowd(Limit(rate=10, per=1.0, burst=2))
    crowd.ask(60)
    began = [len(crowd.world.calls)]
    for _ in range(30):
        crowd.world.later(0.1)
        began.append(len(crowd.world.calls))
    assert began[0] == 2
    assert 30 <= began[-1] <= 32
    assert all(later - now <= 2 for now, later in pairwise(began))


def test_a_rate_and_a_concurrency_hold_both() -> None:
    crowd = Crowd(Limit(concurrency=3, rate=100))
    crowd.ask(30)
    for _ in range(10):
        crowd.world.later(0.1)
        assert len(crowd.running()) <= 3
    assert crowd.drain(3) == 30


def test_the_limiter_of_a_rate_is_forgotten_when_it_is_full_again() -> None:
    crowd = Crowd(Limit(rate=2, per=1.0))
    crowd.ask(4)
    crowd.drain(4, seconds=0.5)
    for _ in range(8):
        crowd.world.later(1.0)
    assert all(not owner.partition._lending.limiters for owner in crowd.owners)


# -- changed at run time


def set_for_all(crowd: Crowd, limit: l.LimitSpec | None) -> None:
    for number in range(PARTITIONS):
        board = board_id("orders", "charge", number, PARTITIONS)
        crowd.world.tell(l.LimitSet(f"set{number}", "charge", None, limit), board)
    crowd.world.settle()


def test_a_limit_for_all_keys_takes_hold_at_once() -> None:
    crowd = Crowd(Limit(concurrency=1, by="tenant"))
    crowd.ask(20, tenant="a")
    crowd.ask(20, tenant="b")
    set_for_all(crowd, l.LimitSpec(concurrency=5))
    assert Counter(ctx.tenant for ctx in crowd.running()) == {"a": 5, "b": 5}
    set_for_all(crowd, None)
    for _ in range(20):
        crowd.end()
        crowd.world.later(0.2)
    assert len(crowd.running()) <= 2


def test_a_limit_for_one_key_is_its_own() -> None:
    crowd = Crowd(Limit(concurrency=1, by="tenant"))
    crowd.ask(20, tenant="a")
    crowd.ask(20, tenant="b")
    spec = l.LimitSpec(concurrency=4)
    crowd.world.tell(l.LimitSet("set", "charge", "a", spec), limiter_id("orders", "charge", "a"))
    crowd.world.settle()
    assert Counter(ctx.tenant for ctx in crowd.running()) == {"a": 4, "b": 1}


def test_a_limit_that_is_lowered_takes_hold_as_calls_end() -> None:
    crowd = Crowd(Limit(concurrency=10))
    crowd.ask(200)
    assert len(crowd.running()) == 10
    set_for_all(crowd, l.LimitSpec(concurrency=2))
    for _ in range(30):
        crowd.end(1)
        crowd.world.later(0.15)
    assert len(crowd.running()) == 2


def test_zero_lets_nothing_begin_until_it_is_lifted() -> None:
    crowd = Crowd(Limit(concurrency=2))
    set_for_all(crowd, l.LimitSpec(concurrency=0))
    crowd.ask(10)
    assert not crowd.running()
    set_for_all(crowd, None)
    assert len(crowd.running()) == 2


def test_what_was_set_is_remembered_by_the_next_owner() -> None:
    crowd = Crowd(Limit(concurrency=1))
    set_for_all(crowd, l.LimitSpec(concurrency=3))
    for owner in crowd.owners:
        owner.checkpoint()
        owner.crash()
    crowd.world.own_all()
    crowd.ask(20)
    assert len(crowd.running()) == 3


# -- a flood at the door


def test_of_a_flood_only_so_many_are_let_in_and_none_is_lost() -> None:
    crowd = Crowd(Limit(concurrency=3, by="tenant"))
    crowd.ask(3000, tenant="a")
    started = [x for x in crowd.world.facts() if isinstance(x, f.Started)]
    assert len(started) <= PARTITIONS * (CROWD + 3)
    crowd.ask(3, tenant="b")
    assert sum(ctx.tenant == "b" for ctx in crowd.running()) == 3
    while crowd.end():
        crowd.world.later(0.01)
    assert len({x.context.instance for x in crowd.world.calls}) == 3003
    assert len(crowd.world.calls) == 3003
    assert all(owner.partition.aside == 0 for owner in crowd.owners)
    for owner in crowd.owners:
        assert owner.partition.commits()["normal"] == len(owner._log("normal"))


def test_in_one_operation_s_limit_too_the_flood_of_a_tenant_leaves_the_door_open() -> None:
    crowd = Crowd(Limit(concurrency=2))
    crowd.ask(3000, tenant="a")
    crowd.ask(2, tenant="b")
    done = 0
    while sum(x.context.tenant == "b" for x in crowd.world.calls) < 2:
        done += crowd.end()
        crowd.world.later(0.1)
        assert done < 40


def test_what_was_set_aside_is_read_again_by_the_next_owner() -> None:
    crowd = Crowd(Limit(concurrency=3, lease=1.0))
    crowd.ask(2000)
    for owner in crowd.owners:
        owner.checkpoint()
        owner.crash()
    crowd.world.calls.clear()
    crowd.world.own_all()
    crowd.world.settle()
    for _ in range(12):
        crowd.world.later(0.3)
    while crowd.end():
        crowd.world.later(0.1)
    assert len({x.context.instance for x in crowd.world.calls}) == 2000


def test_a_cancel_of_what_is_set_aside_need_not_wait_for_its_turn() -> None:
    crowd = Crowd(Limit(concurrency=40))
    crowd.ask(PARTITIONS * CROWD * 2)
    started = {x.subject for x in crowd.world.read("orders.events")}
    outside = next(str(n) for n in range(crowd.asked, 0, -1) if str(n) not in started)
    crowd.world.ask(Cancel("enough"), outside, id="cancel")
    crowd.world.settle()
    assert crowd.world.status(outside) in ("compensating", "cancelled")
    while crowd.end():
        crowd.world.later(0.1)
    forward = {x.context.instance for x in crowd.world.calls if x.operation == "charge"}
    assert outside not in forward
    assert len(forward) == crowd.asked - 1


def test_a_saga_is_set_aside_for_each_of_its_limited_steps() -> None:
    crowd = Crowd(Limit(concurrency=1))
    app = crowd.world.apps["orders"]
    app.saga("late", step("look"), step("charge"))
    for n in range(2000):
        crowd.world.ask(saga("late"), f"s{n}")
    crowd.world.settle()
    started = [x for x in crowd.world.facts() if isinstance(x, f.Started)]
    assert len(started) <= PARTITIONS * (CROWD + 3)
